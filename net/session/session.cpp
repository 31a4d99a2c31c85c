#include <weir/net/session/session.hpp>

#include <algorithm>
#include <utility>

namespace weir {

session::session(session_start start, session_options options, memory_budget& budget,
                 std::unique_ptr<accumulator> accumulator)
    : start_(std::move(start)),
      options_(options),
      accumulator_(std::move(accumulator)),
      sinks_{sink{*this, side::client}, sink{*this, side::server}},
      streams_{stream{options_.stream, budget, sinks_[0], summary_.sides[0]},
               stream{options_.stream, budget, sinks_[1], summary_.sides[1]}} {
  tell_streams();
}

session::~session() = default;

void session::tell_streams() {
  const bool both_seen = start_.has_initial[0] && start_.has_initial[1];
  const auto& scales = start_.window_scale;
  // Scaling needs the option on both SYNs (RFC 7323 2.2).
  const bool scaling = scales[0] != segment::no_scale && scales[1] != segment::no_scale;
  for (const auto s : both_sides) {
    const auto peer = index(other(s));
    auto& stream = stream_of(s);
    if (start_.has_initial[index(s)])
      stream.start(start_.initial[index(s)], start_.info.start);
    else if (start_.has_initial[peer])
      stream.start_with_acknowledgment();
    if (scaling)
      stream.peer_window_scale(scales[peer]);
    else if (both_seen)
      stream.peer_window_scale(0);
  }
}

void session::open() {
  if (std::exchange(opened_, true)) return;
  obey(accumulator_->on_start(start_.info));
  for (const auto s : both_sides) {
    const auto payload = std::exchange(start_.syn_payload[index(s)], {});
    if (payload.empty() || !start_.has_initial[index(s)]) continue;
    segment first;
    first.sequence = start_.initial[index(s)];
    first.data = payload.data();
    first.captured = first.length = static_cast<std::uint32_t>(payload.size());
    first.time = start_.info.start;
    stream_of(s).add(first);
  }
}

void session::add(const segment& s) {
  open();
  const auto from = s.from_b == start_.client_is_a ? side::server : side::client;
  auto& own = stream_of(from);
  auto& acknowledged = stream_of(other(from));
  // Acknowledged bytes come before those that may answer them.
  if (own.in_place(s))
    acknowledged.acknowledge(s);
  else
    acknowledged.claim(s);
  own.add(s);
}

void session::sink::on_data(bytes_view bytes, timestamp time) {
  auto& figures = owner->summary_[from];
  const auto limit = owner->options_.max_bytes;
  const auto taken = limit == 0 ? bytes
                                : bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(
                                    bytes.size(), limit - owner->delivered_)));
  figures.bytes += taken.size();
  figures.skipped += bytes.size() - taken.size();
  owner->delivered_ += taken.size();
  const auto verdict = owner->accumulator_->on_data(from, taken, time);
  owner->obey(limit != 0 && owner->delivered_ >= limit ? accumulator::verdict::skip_rest : verdict);
}

void session::sink::on_gap(const gap& missing, timestamp time) {
  owner->obey(owner->accumulator_->on_gap(from, missing, time));
}

void session::obey(accumulator::verdict v) noexcept {
  if (v == accumulator::verdict::skip_rest) skip_rest();
}

void session::skip_rest() noexcept {
  for (auto& s : streams_)
    s.skip();
}

/// The side whose held bytes are older goes first.
void session::flush(timestamp time) {
  const auto client = stream_of(side::client).held_since().value_or(latest_time);
  const auto server = stream_of(side::server).held_since().value_or(latest_time);
  const auto first = client <= server ? side::client : side::server;
  stream_of(first).finish(time);
  stream_of(other(first)).finish(time);
}

void session::fill_summary(const session_end& end) {
  summary_.state = end.state;
  summary_.end = end.time;
  summary_.failure = end.failure;
  for (const auto s : both_sides) {
    summary_[s].packets = end.packets[index(s)];
    summary_[s].out_of_window += end.out_of_window[index(s)];
  }
}

void session::finish(const session_end& end) {
  open();
  flush(end.time);
  fill_summary(end);
  ended_ = true;
  accumulator_->on_end(summary_);
}

void session::fail(const session_end& end) noexcept {
  skip_rest();
  if (std::exchange(ended_, true)) return;
  try {
    open();
    fill_summary(end);
    summary_.state = session_state::failed;
    accumulator_->on_end(summary_);
  } catch (...) {
    // Whoever ends the session cannot do more about it.
  }
}

void session::relieve() {
  for (auto& s : streams_)
    s.relieve();
  if (opened_ && !ended_) accumulator_->on_pressure();
}

} // namespace weir
