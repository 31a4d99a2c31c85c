/// Ethernet, IPv4 and TCP headers as a Linux host sends them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <weir/net/address.hpp>
#include <weir/net/bytes.hpp>

namespace weir::bench {

namespace tcp_flag {
inline constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16;
} // namespace tcp_flag

/// What changes from one segment to the next.
struct tcp_fields {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  std::uint8_t flags = 0;
  /// The timestamps option (RFC 7323 3).
  std::uint32_t timestamp_value = 0;
  std::uint32_t timestamp_echo = 0;
  /// Of the IP header.
  std::uint16_t identification = 0;
};

/// The headers in front of a payload, with right checksums. A SYN has the options that open a
/// connection: MSS 1460, SACK permitted, timestamps, window scale 7.
class tcp_frame {
public:
  /// IPv4 ends only.
  tcp_frame(const endpoint& from, const endpoint& to, const tcp_fields& fields, bytes_view payload);

  bytes_view bytes() const noexcept { return bytes_view{bytes_}.first(size_); }

  static constexpr std::size_t max_size = 14 + 20 + 40;

private:
  std::array<std::byte, max_size> bytes_;
  std::size_t size_;
};

} // namespace weir::bench
