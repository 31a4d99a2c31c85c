#include <weir/net/tcp/stream.hpp>

#include <algorithm>
#include <utility>

#include <weir/net/tcp/stream_limits.hpp>

namespace weir {

namespace {

/// Positions start here, so that a stream's start can move back without passing zero. The low 32
/// bits are zero: those of a position are its sequence number.
constexpr std::uint64_t origin = std::uint64_t{1} << 40;

} // namespace

std::uint64_t stream::arrival::drop_front(std::uint64_t n) noexcept {
  const auto dropped = static_cast<std::uint32_t>(std::min<std::uint64_t>(n, length));
  const auto bytes = std::min<std::size_t>(dropped, captured.size());
  captured = captured.subspan(bytes);
  begin += dropped;
  length -= dropped;
  return bytes;
}

stream::stream(const stream_options& options, memory_budget& budget, stream_sink& sink,
               side_summary& figures) noexcept
    : options_(&options),
      sink_(&sink),
      figures_(&figures),
      held_(budget),
      doubted_(budget),
      history_(budget) {}

void stream::peer_window_scale(std::uint8_t scale) noexcept {
  // RFC 7323 2.3: a shift beyond 14 is taken for 14.
  window_scale_ = scale == segment::no_scale ? scale : std::min<std::uint8_t>(scale, 14);
}

std::optional<timestamp> stream::held_since() const noexcept {
  if (!held_.empty()) return held_.first_time();
  if (!doubted_.empty()) return doubted_.first_time();
  return std::nullopt;
}

/// The position nearest to the expected one.
std::uint64_t stream::position(std::uint32_t sequence) const noexcept {
  const auto distance = static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(next_));
  return next_ + static_cast<std::uint64_t>(std::int64_t{distance});
}

void stream::add(const segment& s) {
  auto first = s.sequence;
  if (s.has(tcp_flag::syn) && !s.has(tcp_flag::rst)) start(++first, s.time);
  if (state_ == state::skipping) {
    figures_->skipped += s.captured;
    return;
  }
  if (s.has(tcp_flag::rst)) {
    figures_->out_of_window += s.captured;
    return;
  }
  if (in_place(s)) refute();
  const bool fin = s.has(tcp_flag::fin);
  if (s.length == 0 && !fin) return;
  if (state_ == state::unknown) guess_start(first, s.length);
  take({position(first), s.payload().first(std::min(s.captured, s.length)), s.length, s.time}, fin);
}

// -- where the stream starts ----------------------------------------------------------------------

void stream::start(std::uint32_t first, timestamp time) {
  if (state_ == state::unknown) {
    begin_ = next_ = origin + first;
    state_ = state::settled;
  } else if (state_ == state::guessed) {
    const auto known = position(first);
    if ((known < begin_ ? begin_ - known : known - begin_) > unknown_window) return;
    drop_before(known);
    begin_ = next_ = known;
    settle_start(time);
  }
}

void stream::guess_start(std::uint32_t sequence, std::uint32_t length) {
  begin_ = next_ = origin + sequence;
  state_ = state::guessed;
  if (!early_ack_) return;
  // The peer had all bytes before its acknowledgement; what comes at or below it needs no waiting.
  const std::uint32_t behind = *early_ack_ - sequence;
  if (behind <= unknown_window) state_ = state::settled;
  if (behind == 1 && length == 1) ++begin_, ++next_; // a keep-alive
}

/// For bytes from before the first one captured. False where that is too far away.
bool stream::move_start_back(const arrival& a) {
  if (begin_ - a.begin > least_allowance) return false;
  begin_ = next_ = a.begin;
  figures_->out_of_order = held_.bytes();
  return true;
}

/// Two segments that agree with each other, but not with the only one that the guess rests on.
void stream::guess_again() {
  figures_->out_of_window += held_.clear();
  fin_.reset();
  begin_ = next_ = doubted_.begin();
  adopt_doubted(next_ + allowance());
}

void stream::settle_start(timestamp time) {
  state_ = state::settled;
  deliver_ready(time);
  drop_beyond_end();
}

void stream::drop_before(std::uint64_t first) {
  while (!held_.empty() && held_.begin() < first) {
    const auto [begin, piece] = held_.take_front();
    arrival rest{begin, piece.view(), piece.length, piece.time};
    figures_->out_of_window += rest.drop_front(first - begin);
    if (rest.length > 0)
      held_.insert(rest.begin, rest.captured, rest.length, rest.time, options_->overlap);
  }
}

// -- arrivals -------------------------------------------------------------------------------------

void stream::take(arrival a, bool fin) {
  if (!fin && is_keep_alive(a)) {
    figures_->duplicate += a.captured.size();
    return;
  }
  if (a.begin < next_) {
    if (state_ == state::settled)
      trim_seen(a);
    else if (a.length == 0)
      return;
    else if (!move_start_back(a))
      return doubt(a, fin);
  }
  if (ended()) {
    figures_->out_of_window += a.captured.size();
    return;
  }
  const auto end = a.end();
  if (end > next_ + allowance()) return doubt(a, fin);
  if (a.length > 0) {
    contradict_fin(a);
    if (state_ == state::settled && a.begin == next_ && (held_.empty() || end <= held_.begin())) {
      deliver(a.captured, a.time);
      if (a.captured.size() < a.length) declare_gap(end - next_, a.time);
    } else {
      hold(a, options_->overlap);
    }
  }
  if (fin) note_fin(end);
  if (held() != 0) after_arrival(a.time);
}

/// One byte, or none, just before the next: a probe whose byte may be garbage (RFC 1122 4.2.3.6).
bool stream::is_keep_alive(const arrival& a) const noexcept {
  return a.length <= 1
         && ((state_ == state::settled && a.end() == next_)
             || (!held_.empty() && a.end() == held_.end()));
}

/// Counts and cuts off what lies before the next byte.
void stream::trim_seen(arrival& a) {
  if (a.begin < begin_) figures_->out_of_window += a.drop_front(begin_ - a.begin);
  if (a.begin >= next_) return;
  const auto again = std::min<std::uint64_t>(a.captured.size(), next_ - a.begin);
  figures_->conflicting += history_.conflicts(a.begin, a.captured.first(again));
  figures_->duplicate += a.drop_front(next_ - a.begin);
}

void stream::hold(const arrival& a, overlap_policy policy) {
  const auto early = a.begin > (state_ == state::settled ? next_ : high());
  const auto done = held_.insert(a.begin, a.captured, a.length, a.time, policy);
  if (early) figures_->out_of_order += done.stored;
  figures_->duplicate += done.duplicate;
  figures_->conflicting += done.conflicting;
}

/// Keeps apart what lies outside of the window.
void stream::doubt(const arrival& a, bool fin) {
  if (refuted_) forget_doubted();
  const auto done = doubted_.insert(a.begin, a.captured, a.length, a.time, overlap_policy::first);
  figures_->duplicate += done.duplicate;
  figures_->conflicting += done.conflicting;
  if (fin) doubted_fin_ = a.end();
  if (state_ == state::guessed && held_.pieces() == 1 && doubted_.pieces() > 1
      && doubted_.end() - doubted_.begin() <= least_allowance)
    guess_again();
  enforce_limit(a.time);
}

void stream::note_fin(std::uint64_t end) {
  // One in order is what the receiver takes, whatever another segment claimed.
  if (end == next_ || (!fin_ && end >= high())) fin_ = end;
}

/// Who sent a FIN has no more bytes to send across it.
void stream::contradict_fin(const arrival& a) noexcept {
  if (fin_ && a.begin < *fin_ && a.end() > *fin_) fin_.reset();
}

void stream::after_arrival(timestamp time) {
  if (state_ == state::guessed && held_.cost() > hold_back_limit) settle_start(time);
  deliver_ready(time);
  if (unseen_ack_ && state_ == state::settled && *unseen_ack_ <= high() + allowance())
    confirm(std::min(*unseen_ack_, high()), time);
  drop_beyond_end();
  enforce_limit(time);
}

// -- delivery: positions move on before the sink is called, which may throw or skip
// ----------------

void stream::deliver(bytes_view bytes, timestamp time) {
  if (bytes.empty()) return;
  history_.append(next_, bytes);
  next_ += bytes.size();
  sink_->on_data(bytes, time);
}

void stream::declare_gap(std::uint64_t length, timestamp time) {
  if (state_ == state::skipping) return;
  const gap missing{next_ - begin_, length};
  auto& gaps = figures_->gaps;
  figures_->missing += length;
  if (gap_end_ == next_) {
    if (gaps.size() == figures_->gap_count) gaps.back().length += length;
  } else {
    if (++figures_->gap_count <= side_summary::max_gaps) gaps.push_back(missing);
  }
  next_ += length;
  gap_end_ = next_;
  sink_->on_gap(missing, time);
}

void stream::deliver_ready(timestamp time) {
  while (state_ == state::settled && !held_.empty() && held_.begin() == next_ && !ended()) {
    const auto piece = held_.take_front().content;
    if (piece.lost())
      declare_gap(piece.length, time);
    else
      deliver(piece.view(), piece.time);
  }
}

void stream::drop_beyond_end() noexcept {
  if (state_ == state::settled && ended())
    figures_->out_of_window += held_.clear() + doubted_.clear();
}

void stream::skip() noexcept {
  figures_->skipped += held_.clear() + doubted_.clear();
  history_.forget();
  state_ = state::skipping;
}

} // namespace weir
