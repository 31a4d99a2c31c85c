#include <weir/net/tcp/connection.hpp>

#include <algorithm>

namespace weir {

namespace {

constexpr bool before(std::uint32_t a, std::uint32_t b) noexcept { return sequence_before(a, b); }

constexpr std::uint32_t later(std::uint32_t a, std::uint32_t b) noexcept {
  return before(a, b) ? b : a;
}

/// How far behind a late segment of a connection that is over can be: the largest windows in use.
constexpr std::uint32_t late_distance = 1 << 24;

/// Room beyond the announced window: captures lag behind the receiver, and lose announcements.
constexpr std::uint32_t window_slack = 1 << 16;

/// Bytes that `receiver` may have outstanding towards it. Without its SYN the scale is unknown; the
/// largest windows seen in practice are assumed then.
std::uint32_t window_of(const connection_side& receiver) noexcept {
  if (!receiver.known) return late_distance;
  if (!receiver.has_initial) return late_distance;
  const auto scale = receiver.window_scale == segment::no_scale
                         ? 0
                         : std::min<unsigned>(receiver.window_scale, 14); // RFC 7323 2.3
  return (std::uint32_t{receiver.window} << scale) + window_slack;
}

/// Whether `sequence` of `from` is one that its peer could accept (RFC 9293 3.10.7.4), as far as an
/// observer can tell: from what the peer acknowledged to the end of its window.
bool within_window(std::uint32_t sequence, const connection_side& from,
                   const connection_side& peer) noexcept {
  if (!from.known) return true;
  const auto low = peer.has_acked && before(peer.acked, from.next) ? peer.acked : from.next;
  const auto high = low + window_of(peer);
  return !before(sequence, low - 1) && !before(later(high, from.next), sequence);
}

/// Whether `sequence` lies further behind than the reordering of one window can explain.
bool far_behind(std::uint32_t sequence, const connection_side& from,
                const connection_side& peer) noexcept {
  return from.known && before(sequence, from.next) && from.next - sequence > window_of(peer);
}

constexpr std::uint32_t distance(std::uint32_t a, std::uint32_t b) noexcept {
  return before(a, b) ? b - a : a - b;
}

/// A position in the numbers of `from` that lies beyond what its peer allows: true when it is to be
/// followed, because a second segment claims about the same. Real captures lose seconds of traffic
/// and then both sides go on far ahead; a single forged segment must not look like that.
bool confirmed_jump(std::uint32_t position, connection_side& from) noexcept {
  const bool again = from.has_suspect && position - from.suspect + window_slack < late_distance;
  from.has_suspect = !again;
  from.suspect = position;
  return again;
}

/// Whether where `from` is rests on more than segments of its own that agree with each other. Where
/// only one direction was captured there is nothing else.
bool vouched(const connection_side& from, const connection_side& peer) noexcept {
  return !from.has_home || peer.packets == 0;
}

/// Takes back a jump where `position`, which a receiver would accept, is at the place before it.
void return_home(std::uint32_t position, connection_side& from, connection_side& peer) noexcept {
  if (!from.has_home) return;
  const auto away = distance(position, from.home);
  if (away > window_of(peer) || away >= distance(position, from.next)) return;
  from.has_home = from.has_suspect = false;
  from.next = from.home;
  if (before(from.home, from.fin_end)) from.has_fin = false;
  if (before(from.home, peer.acked)) peer.has_acked = false;
}

/// Of a segment outside of its window a receiver looks at nothing else, neither at the
/// acknowledgement nor at the FIN (RFC 9293 3.10.7.4, RFC 5961 5). One that lies ahead may be
/// genuine after a loss of the capture: `from` jumps there with the second.
bool believable(const segment& s, connection_side& from, const connection_side& to) noexcept {
  if (within_window(s.sequence, from, to)) return true;
  if (!before(from.next, s.sequence)) return !far_behind(s.sequence, from, to);
  if (!confirmed_jump(s.sequence, from)) return false;
  if (!from.has_home) from.home = from.next;
  from.has_home = true;
  from.next = s.sequence;
  return true;
}

} // namespace

connection::connection(const segment& first) noexcept {
  const bool sender_is_a = !first.from_b;
  if (first.has(tcp_flag::syn)) {
    client_is_a_ = first.has(tcp_flag::ack) ? !sender_is_a : sender_is_a;
  } else if (first.key.port_a != first.key.port_b) {
    // Servers listen on the lower numbers: well-known ports are below the ephemeral range (RFC 6335
    // 6).
    client_is_a_ = first.key.port_a > first.key.port_b;
  } else {
    client_is_a_ = sender_is_a;
  }
}

bool connection::orderly() const noexcept {
  return !disorder_ && !midstream_ && sides_[0].hole_begin == sides_[0].hole_end
         && sides_[1].hole_begin == sides_[1].hole_end;
}

connection::verdict connection::add(const segment& s) noexcept {
  auto& from = sides_[s.from_b ? 1 : 0];
  auto& to = sides_[s.from_b ? 0 : 1];
  if (!s.has(tcp_flag::syn)) return_home(s.sequence, from, to);
  const auto judged = s.has(tcp_flag::rst)   ? add_rst(s, from, to)
                      : s.has(tcp_flag::syn) ? add_syn(s, from, to)
                                             : add_plain(s, from, to);
  if (judged != verdict::reused) ++from.packets;
  return judged;
}

void connection::take_syn(const segment& s, connection_side& from, connection_side& to) noexcept {
  from.has_initial = true;
  from.initial = s.sequence;
  from.next = from.known ? later(from.next, s.sequence_end()) : s.sequence_end();
  from.known = true;
  from.window = s.window;
  from.window_scale = s.window_scale;
  if (!s.has(tcp_flag::ack)) return;
  if (!to.has_initial && !to.known) {
    to.known = to.has_initial = true;
    to.initial = s.acknowledgment - 1;
    to.next = s.acknowledgment;
  }
  from.has_acked = true;
  from.acked = s.acknowledgment;
}

connection::verdict connection::add_syn(const segment& s, connection_side& from,
                                        connection_side& to) noexcept {
  const bool reply = s.has(tcp_flag::ack);
  if (from.has_initial && s.sequence == from.initial) {
    if (from.window_scale == segment::no_scale) from.window_scale = s.window_scale;
    if (phase_ == phase::half_open) {
      take_syn(s, from, to);
      return verdict::count;
    }
    return s.length > 0 ? verdict::deliver : verdict::count;
  }
  if (phase_ == phase::half_open) {
    // An answer must be to the SYN that was asked with (RFC 9293 3.10.7.3).
    const bool fits =
        !reply || !to.has_initial
        || (before(to.initial, s.acknowledgment) && !before(to.next, s.acknowledgment));
    if (from.has_initial && !reply) return verdict::reused;
    if (!fits) return verdict::ignore;
    take_syn(s, from, to);
    return verdict::count;
  }
  if (phase_ != phase::over && !from.has_initial
      && (!from.known
          || (before(s.sequence, from.next) && from.next - s.sequence < late_distance))) {
    // The capture has the handshake after the data that followed it.
    take_syn(s, from, to);
    return verdict::deliver;
  }
  // While data flows, a SYN alone is challenged, not believed (RFC 5961 4).
  if (phase_ != phase::established
      || (reply && to.has_candidate && s.acknowledgment == to.candidate + 1))
    return verdict::reused;
  from.has_candidate = true;
  from.candidate = s.sequence;
  return verdict::ignore;
}

connection::verdict connection::add_rst(const segment& s, connection_side& from,
                                        const connection_side& to) noexcept {
  if (phase_ == phase::over) return verdict::count;
  bool valid = within_window(s.sequence, from, to) && vouched(from, to);
  if (phase_ == phase::half_open && s.has(tcp_flag::ack)) {
    // The refusal of a SYN has no sequence number of its own (RFC 9293 3.10.7.3).
    valid = to.has_initial && before(to.initial, s.acknowledgment)
            && !before(to.next, s.acknowledgment);
  }
  if (!valid) return verdict::ignore;
  from.has_rst = true;
  from.rst_sequence = s.sequence;
  phase_ = phase::over;
  return verdict::count;
}

connection::verdict connection::add_plain(const segment& s, connection_side& from,
                                          connection_side& to) noexcept {
  const bool acks = s.has(tcp_flag::ack);
  if (from.has_candidate && s.sequence == from.candidate + 1 && s.sequence != from.next)
    return verdict::reused;
  if (to.has_candidate && acks && s.acknowledgment == to.candidate + 1
      && s.acknowledgment != to.next)
    return verdict::reused;

  bool news = false;
  if (phase_ == phase::half_open) {
    if (from.has_initial && before(s.sequence, from.initial)) return verdict::ignore;
    if (from.has_initial && !to.known && acks && s.sequence == from.initial + 1) {
      // The answer to the SYN was not captured, but it was received.
      to.known = to.has_initial = true;
      to.initial = s.acknowledgment - 1;
      to.next = s.acknowledgment;
    }
    const bool completes = acks && from.has_initial && to.has_initial
                           && !before(s.acknowledgment, to.initial + 1)
                           && s.sequence != from.initial;
    if (s.length == 0 && !completes) return verdict::count;
    phase_ = phase::established;
    midstream_ = !from.has_initial && !to.has_initial;
  }
  if (s.length > 0 && from.has_fin && from.fin_end == from.next && from.hole_begin == from.hole_end
      && !before(s.sequence, from.fin_end))
    return verdict::ignore;
  if (!believable(s, from, to)) {
    if (s.length == 0) return verdict::ignore;
    // Whether its bytes belong to the stream is for the stream to judge.
    disorder_ = true;
    return verdict::deliver;
  }
  if (from.has_home) disorder_ = true;
  if (from.has_rst && s.length > 0 && vouched(from, to)
      && before(from.rst_sequence, s.sequence_end())) {
    // Who goes on after its RST did not send that RST.
    from.has_rst = false;
  }

  if (s.length > 0 || s.has(tcp_flag::fin)) advance(s, from, to);
  if (acks) news = acknowledge(s, from, to);
  if (vouched(from, to)) from.window = s.window;
  update_phase();
  return s.length > 0 || news || !orderly() ? verdict::deliver : verdict::count;
}

void connection::advance(const segment& s, connection_side& from,
                         const connection_side& to) noexcept {
  if (!from.known) {
    from.known = true;
    from.next = s.sequence;
    // Without its SYN there may be bytes before the first that was seen.
    disorder_ = true;
  }
  follow_holes(s, from);
  from.next = later(from.next, s.sequence_end());
  if (s.has(tcp_flag::fin) && !from.has_fin && !far_behind(s.sequence_end(), from, to)) {
    from.has_fin = true;
    from.fin_end = s.sequence_end();
  }
}

void connection::follow_holes(const segment& s, connection_side& from) noexcept {
  const auto begin = s.sequence;
  const auto end = s.sequence_end();
  const bool hole = from.hole_begin != from.hole_end;
  if (before(from.next, begin)) {
    if (hole) {
      disorder_ = true;
    } else {
      from.hole_begin = from.next;
      from.hole_end = begin;
    }
  } else if (hole && before(begin, from.hole_end) && before(from.hole_begin, end)) {
    const bool from_left = !before(from.hole_begin, begin);
    const bool to_right = !before(end, from.hole_end);
    if (from_left) {
      from.hole_begin = to_right ? from.hole_end : end;
    } else if (to_right) {
      from.hole_end = begin;
    } else {
      disorder_ = true;
    }
  }
}

/// True where it acknowledges bytes that were never captured.
bool connection::acknowledge(const segment& s, connection_side& from,
                             connection_side& to) noexcept {
  const auto ack = s.acknowledgment;
  const bool vouches = vouched(from, to);
  if (!vouches && !to.has_home) return false;
  bool news = false;
  if (!to.known) {
    to.known = true;
    to.next = ack;
  } else if (before(to.next, ack)) {
    news = disorder_ = true;
    const bool plausible = ack - to.next <= window_of(from);
    if (!plausible && !confirmed_jump(ack, to)) return true;
    to.next = ack;
  }
  if (vouches && distance(ack, to.next) <= window_of(from)) to.has_home = false;
  if (!from.has_acked || before(from.acked, ack)) from.acked = ack;
  from.has_acked = true;
  return news;
}

void connection::update_phase() noexcept {
  const auto& [a, b] = sides_;
  const bool closed = a.has_fin && b.has_fin && a.has_acked && b.has_acked
                      && !before(a.acked, b.fin_end) && !before(b.acked, a.fin_end);
  const bool half_closed = (a.has_fin && vouched(a, b)) || (b.has_fin && vouched(b, a));
  if ((closed && !a.has_home && !b.has_home) || was_reset())
    phase_ = phase::over;
  else
    phase_ = closed || half_closed ? phase::closing : phase::established;
}

connection connection::successor(const segment& s) const noexcept {
  connection c{s};
  const auto& from = sides_[s.from_b ? 1 : 0];
  const auto& to = sides_[s.from_b ? 0 : 1];
  const auto adopt = [](connection_side& side, std::uint32_t initial) {
    side.known = side.has_initial = true;
    side.initial = initial;
    side.next = initial + 1;
  };
  auto& new_from = c.sides_[s.from_b ? 1 : 0];
  auto& new_to = c.sides_[s.from_b ? 0 : 1];
  if (s.has(tcp_flag::syn)) {
    if (s.has(tcp_flag::ack) && to.has_candidate && s.acknowledgment == to.candidate + 1)
      adopt(new_to, to.candidate);
    return c;
  }
  c.client_is_a_ = !s.from_b;
  if (from.has_candidate && s.sequence == from.candidate + 1) adopt(new_from, from.candidate);
  if (to.has_candidate && s.acknowledgment == to.candidate + 1) {
    adopt(new_to, to.candidate);
    if (!new_from.known) adopt(new_from, s.sequence - 1);
  }
  return c;
}

bool connection::is_late(const segment& s) const noexcept {
  const auto& from = sides_[s.from_b ? 1 : 0];
  if (s.has(tcp_flag::syn)) return from.has_initial && s.sequence == from.initial;
  if (s.length == 0) return true;
  if (!from.known) return false;
  return from.next - s.sequence_end() < late_distance;
}

} // namespace weir
