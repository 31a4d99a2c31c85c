/// What is known of a session when it starts, and what is known when it has ended.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weir/net/flow.hpp>
#include <weir/net/time.hpp>

namespace weir {

struct session_info {
  /// Unique within a run, and the same on every run over the same packets.
  std::uint64_t id = 0;
  endpoint client;
  endpoint server;
  /// The first packet's time.
  timestamp start{};
  /// First seen after the handshake: who is the client is a guess, and bytes before the first may
  /// exist that no one captured.
  bool midstream = false;
  /// As on the packet that established the session, outermost first.
  weir::encapsulation encapsulation;

  const endpoint& end_of(side s) const noexcept { return s == side::client ? client : server; }
};

/// How a session ended.
enum class session_state : std::uint8_t {
  /// Both FINs acknowledged, or a FIN and no reply for a while.
  closed,
  /// A valid RST, or a new connection on the same ports.
  reset,
  /// Idle for longer than the idle timeout.
  timeout,
  /// A limit made it go.
  evicted,
  /// Its accumulator threw; `session_summary::failure` has the text.
  failed,
  /// The capture ended first.
  open,
};

inline constexpr std::size_t session_state_count = 6;

std::string_view to_string(session_state state) noexcept;

/// Bytes never captured: `length` of them, after `offset` bytes of the stream as it was on the wire
/// (captured and missing bytes both counted).
struct gap {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const gap&) const = default;
};

/// One direction's figures. All in bytes but for the first and where said.
struct side_summary {
  std::uint64_t packets = 0;
  /// Payload delivered to the accumulator.
  std::uint64_t bytes = 0;
  /// Bytes lost in gaps.
  std::uint64_t missing = 0;
  /// Payload that arrived after the accumulator asked to skip the rest, or past a limit.
  std::uint64_t skipped = 0;
  /// Payload seen again (retransmissions, duplicated captures), not delivered again.
  std::uint64_t duplicate = 0;
  /// Payload that arrived before bytes that precede it.
  std::uint64_t out_of_order = 0;
  /// Bytes seen again with another value: an attack, or a broken sender.
  std::uint64_t conflicting = 0;
  /// Payload outside of what the receiver could accept: dropped.
  std::uint64_t out_of_window = 0;
  /// The first gaps in stream order, at most `max_gaps`; `gap_count` counts them all.
  std::vector<gap> gaps;
  std::uint64_t gap_count = 0;

  static constexpr std::size_t max_gaps = 1000;
};

struct session_summary {
  session_state state = session_state::open;
  /// The last packet's time.
  timestamp end{};
  std::array<side_summary, 2> sides;
  /// Why it failed; empty otherwise.
  std::string failure;

  side_summary& operator[](side s) noexcept { return sides[index(s)]; }
  const side_summary& operator[](side s) const noexcept { return sides[index(s)]; }
};

} // namespace weir
