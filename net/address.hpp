/// IP addresses and endpoints as keys and as text.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include <weir/net/bytes.hpp>

namespace weir {

enum class ip_family : std::uint8_t { v4 = 4, v6 = 6 };

/// An IPv4 or IPv6 address. IPv4 uses the first four bytes, the rest is zero.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};
  ip_family family = ip_family::v4;

  static ip_address v4(const std::byte* four) noexcept;
  static ip_address v6(const std::byte* sixteen) noexcept;

  auto operator<=>(const ip_address&) const = default;
};

/// Dotted quad (RFC 1123 2.1) or the canonical IPv6 text (RFC 5952).
std::string to_string(const ip_address& address);

struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  auto operator<=>(const endpoint&) const = default;
};

/// `192.0.2.1:80`, `[2001:db8::1]:80`.
std::string to_string(const endpoint& e);

} // namespace weir
