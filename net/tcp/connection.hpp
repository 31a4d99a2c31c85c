/// What the headers alone tell of one TCP connection: who opened it, how far each side is, whether
/// it is over. The dispatcher keeps one for each flow and decides by it which segments a session
/// has to see. It never looks at payload, and believes no single segment that a receiver would
/// refuse. Several that agree with each other are followed, because captures lose seconds of
/// traffic; but while the peer has not confirmed it from where it is, they end nothing, and the
/// first segment at the old place takes it all back.
///
/// Rules: RFC 9293 3.10.7 (segment arrives), RFC 5961 3 to 5 (blind RST, SYN and data injection),
/// RFC 7323 2 (window scale), RFC 7413 (data on SYN).
#pragma once

#include <array>
#include <cstdint>

#include <weir/net/flow.hpp>
#include <weir/net/segment.hpp>

namespace weir {

/// One end as seen from outside. Sequence numbers are its own, unless said otherwise.
struct connection_side {
  /// A segment of this side was seen, or its numbers follow from the peer's.
  bool known = false;
  /// Its SYN was seen, or the peer acknowledged it: `initial` is known.
  bool has_initial = false;
  bool has_fin = false;
  bool has_rst = false;
  bool has_acked = false;
  bool has_candidate = false;
  bool has_suspect = false;
  bool has_home = false;
  std::uint8_t window_scale = segment::no_scale;
  /// The window it last announced, unscaled.
  std::uint16_t window = 0;
  std::uint32_t packets = 0;
  /// Sequence number of its SYN.
  std::uint32_t initial = 0;
  /// One beyond the highest sequence number seen.
  std::uint32_t next = 0;
  /// The peer's sequence number that it acknowledged last.
  std::uint32_t acked = 0;
  /// One beyond its FIN.
  std::uint32_t fin_end = 0;
  std::uint32_t rst_sequence = 0;
  /// A SYN that does not belong to this connection, but may begin the next one.
  std::uint32_t candidate = 0;
  /// A position beyond every window that one segment claimed; this side jumps when a second one
  /// agrees.
  std::uint32_t suspect = 0;
  /// `next` before a jump that only its own segments vouch for, forged or not: one back there shows
  /// that they were. Forgotten when the peer acknowledges the new place from its own window.
  std::uint32_t home = 0;
  /// The one hole that is followed: [hole_begin, hole_end), empty for none.
  std::uint32_t hole_begin = 0;
  std::uint32_t hole_end = 0;
};

class connection {
public:
  enum class verdict : std::uint8_t {
    /// Nothing that a session has to know: a bare acknowledgement, a handshake in the making.
    count,
    /// Concerns the streams.
    deliver,
    /// No receiver would accept it: a forged or stale RST or SYN, data beyond the FIN.
    ignore,
    /// Not of this connection but of the next one on the same ports; see `successor`.
    reused,
  };

  enum class phase : std::uint8_t {
    /// No more than SYNs.
    half_open,
    /// The handshake is complete, or payload was seen.
    established,
    /// A FIN from one side or both.
    closing,
    /// Both FINs acknowledged, or a valid RST. Late segments may still come.
    over,
  };

  /// A connection that begins with `first`, which is to be handed to `add` as well.
  explicit connection(const segment& first) noexcept;

  /// Takes the next segment of this flow, in the order of the capture.
  verdict add(const segment& s) noexcept;

  /// The connection that a segment judged `reused` belongs to, with what earlier segments told of
  /// it. The segment is to be handed to its `add`.
  connection successor(const segment& s) const noexcept;

  phase state() const noexcept { return phase_; }
  /// Whether a RST ended it.
  bool was_reset() const noexcept { return sides_[0].has_rst || sides_[1].has_rst; }
  /// Every byte so far was captured, so that bare acknowledgements and FINs tell a session nothing.
  bool orderly() const noexcept;
  /// Neither SYN was seen.
  bool midstream() const noexcept { return midstream_; }
  /// True where a of the flow key is the client.
  bool client_is_a() const noexcept { return client_is_a_; }
  side sender(const segment& s) const noexcept {
    return s.from_b == client_is_a_ ? side::server : side::client;
  }
  const connection_side& operator[](side s) const noexcept {
    return sides_[(s == side::client) == client_is_a_ ? 0 : 1];
  }

  /// When all is over: whether this is a late or repeated segment of this connection, not the first
  /// one seen of another.
  bool is_late(const segment& s) const noexcept;

private:
  verdict add_syn(const segment& s, connection_side& from, connection_side& to) noexcept;
  verdict add_rst(const segment& s, connection_side& from, const connection_side& to) noexcept;
  verdict add_plain(const segment& s, connection_side& from, connection_side& to) noexcept;
  void take_syn(const segment& s, connection_side& from, connection_side& to) noexcept;
  void advance(const segment& s, connection_side& from, const connection_side& to) noexcept;
  bool acknowledge(const segment& s, connection_side& from, connection_side& to) noexcept;
  void follow_holes(const segment& s, connection_side& from) noexcept;
  void update_phase() noexcept;

  std::array<connection_side, 2> sides_{};
  phase phase_ = phase::half_open;
  bool client_is_a_ = true;
  bool midstream_ = false;
  bool disorder_ = false;
};

} // namespace weir
