#include <weir/tests/bench/connection.hpp>

#include <algorithm>

#include <weir/tests/bench/tcp_frame.hpp>

namespace weir::bench {

namespace {

/// Whether a comes before b in sequence space (RFC 9293 3.4).
bool before(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) < 0;
}

/// RFC 6528 with a clock of 64 ns, as Linux has it: when ports are used again, the new numbers are
/// well above the old.
std::uint32_t initial_sequence(const endpoint& from, const endpoint& to, timestamp now) noexcept {
  std::uint64_t ends = from.port;
  ends = ends << 16 | to.port;
  for (const auto* e : {&from, &to})
    for (const auto byte : e->address.bytes)
      ends = random{ends << 8 ^ ends >> 56 ^ byte}.next();
  return static_cast<std::uint32_t>(
      ends + static_cast<std::uint64_t>(now.time_since_epoch().count() / 64));
}

} // namespace

connection::connection(endpoint client, endpoint server, path path, timestamp now,
                       std::uint64_t seed)
    : client_(client), server_(server), path_(path), random_(seed) {
  for (const auto s : both_sides) {
    auto& p = at(s);
    p.sequence = initial_sequence(address(s), address(other(s)), now);
    p.timestamp_base = random_.next32();
    p.identification = static_cast<std::uint16_t>(random_.next());
  }
}

void connection::open() {
  plan(side::client, tcp_flag::syn, {});
  plan(side::server, tcp_flag::syn | tcp_flag::ack, path_.round_trip);
  plan(side::client, tcp_flag::ack, path_.spacing);
}

void connection::send(side from, bytes_view message, duration after, last_ack ack) {
  at(from).sent.add(message);
  const auto first = plan_.size();
  auto offset = static_cast<std::uint32_t>(buffer_.size());
  buffer_.insert(buffer_.end(), message.begin(), message.end());
  const auto end = static_cast<std::uint32_t>(buffer_.size());
  std::size_t segments = 0;
  for (; offset < end; ++segments) {
    const auto length = std::min<std::uint32_t>(mss, end - offset);
    const bool last = offset + length == end;
    const auto delay = segments == 0                  ? after
                       : segments % path_.window == 0 ? path_.round_trip
                                                      : path_.spacing;
    plan(from, static_cast<std::uint8_t>(tcp_flag::ack | (last ? tcp_flag::psh : 0)), delay, offset,
         length);
    offset += length;
    if (segments % 2 == 1 || (last && ack == last_ack::sent))
      plan(other(from), tcp_flag::ack, path_.spacing);
  }
  disturb(first);
}

void connection::close(side first, duration after) {
  plan(first, tcp_flag::fin | tcp_flag::ack, after);
  plan(other(first), tcp_flag::fin | tcp_flag::ack, path_.round_trip);
  plan(first, tcp_flag::ack, path_.spacing);
}

void connection::reset(side from, duration after) {
  plan(from, tcp_flag::rst | tcp_flag::ack, after);
}

void connection::plan(side from, std::uint8_t flags, duration delay, std::uint32_t offset,
                      std::uint32_t length) {
  auto& sequence = at(from).sequence;
  plan_.push_back({delay, from, flags, sequence, offset, length});
  sequence += length + ((flags & (tcp_flag::syn | tcp_flag::fin)) != 0 ? 1 : 0);
}

/// The next data segment of the same sender, or the plan's end.
std::size_t connection::next_data(std::size_t after, side from) const noexcept {
  const auto found =
      std::find_if(plan_.begin() + static_cast<std::ptrdiff_t>(after) + 1, plan_.end(),
                   [&](const planned& p) { return p.from == from && p.length > 0; });
  return static_cast<std::size_t>(found - plan_.begin());
}

/// Puts segments out of order, or sends them again, in the plan from `first` on.
void connection::disturb(std::size_t first) {
  if (path_.disorder <= 0) return;
  for (auto i = first; i < plan_.size(); ++i) {
    if (plan_[i].length == 0 || !random_.chance(path_.disorder)) continue;
    auto later = next_data(i, plan_[i].from);
    if (random_.chance(0.5) && later < plan_.size()) later = next_data(later, plan_[i].from);
    if (later >= plan_.size()) continue;
    if (random_.chance(0.5)) {
      std::swap(plan_[i], plan_[later]);
      std::swap(plan_[i].delay, plan_[later].delay);
    } else {
      auto again = plan_[i];
      again.delay = path_.spacing;
      plan_.insert(plan_.begin() + static_cast<std::ptrdiff_t>(later) + 1, again);
    }
    i = later + 1;
  }
}

void connection::peer::receive(std::uint32_t begin, std::uint32_t end) {
  if (begin == end) return;
  held.emplace_back(begin, end);
  for (auto it = held.begin(); it != held.end();) {
    if (before(expected, it->first)) {
      ++it;
      continue;
    }
    if (before(expected, it->second)) expected = it->second;
    held.erase(it);
    it = held.begin();
  }
}

void connection::write_next(pcap_writer& out, timestamp time) {
  const auto& p = plan_[next_++];
  auto& sender = at(p.from);
  auto& receiver = at(other(p.from));
  const auto milliseconds = static_cast<std::uint32_t>(time.time_since_epoch().count() / 1'000'000);
  const tcp_fields fields{p.sequence,
                          (p.flags & tcp_flag::ack) != 0 ? sender.expected : 0,
                          p.flags,
                          sender.timestamp_base + milliseconds,
                          sender.timestamp_seen,
                          sender.identification++};
  const auto payload = bytes_view{buffer_}.subspan(p.offset, p.length);
  out.write(time, tcp_frame{address(p.from), address(other(p.from)), fields, payload}.bytes(),
            payload);
  receiver.timestamp_seen = fields.timestamp_value;
  if ((p.flags & tcp_flag::syn) != 0)
    receiver.expected = p.sequence + 1;
  else
    receiver.receive(p.sequence, p.sequence + p.length + ((p.flags & tcp_flag::fin) != 0 ? 1 : 0));
  if (!pending()) {
    plan_.clear();
    buffer_.clear();
    next_ = 0;
  }
}

void connection::write_truth(std::string& out) const {
  for (const auto s : both_sides) {
    const auto& sent = peers_[index(s)].sent;
    if (sent.bytes() == 0) continue;
    out += truth_line(to_string(address(s)), to_string(address(other(s))), sent);
    out += '\n';
  }
}

} // namespace weir::bench
