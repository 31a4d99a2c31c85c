/// A TCP segment as the decoder leaves it: everything that dispatcher and session need, so that no
/// one parses headers twice. Its payload stays in the block.
#pragma once

#include <cstdint>

#include <weir/net/bytes.hpp>
#include <weir/net/flow.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// TCP's control bits (RFC 9293 3.1).
namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t psh = 0x08;
inline constexpr std::uint8_t ack = 0x10;
inline constexpr std::uint8_t urg = 0x20;
} // namespace tcp_flag

struct segment {
  flow_key key;
  /// True where b of the key is the sender.
  bool from_b = false;
  std::uint8_t flags = 0;
  /// As in the header, unscaled.
  std::uint16_t window = 0;
  /// The window scale option of a SYN (RFC 7323 2.2), or `no_scale`.
  std::uint8_t window_scale = no_scale;
  /// One more than the index into the block's encapsulations; zero: none.
  std::uint16_t encapsulation = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  /// Payload bytes in the block, and on the wire: less where the capture cut the packet.
  std::uint32_t captured = 0;
  std::uint32_t length = 0;
  const std::byte* data = nullptr;
  timestamp time{};
  /// `hash(key, secret_seed())`.
  std::uint64_t flow_hash = 0;

  static constexpr std::uint8_t no_scale = 0xff;

  bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  bytes_view payload() const noexcept { return {data, captured}; }
  /// Sequence numbers it takes: payload, SYN and FIN (RFC 9293 3.4).
  std::uint32_t sequence_length() const noexcept {
    return length + (has(tcp_flag::syn) ? 1 : 0) + (has(tcp_flag::fin) ? 1 : 0);
  }
  std::uint32_t sequence_end() const noexcept { return sequence + sequence_length(); }
};

/// Comparison in sequence space (RFC 9293 3.4): true where a comes before b.
constexpr bool sequence_before(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) < 0;
}

} // namespace weir
