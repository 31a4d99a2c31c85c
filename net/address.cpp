#include <weir/net/address.hpp>

#include <arpa/inet.h>

namespace weir {

ip_address ip_address::v4(const std::byte* four) noexcept {
  ip_address a;
  std::memcpy(a.bytes.data(), four, 4);
  return a;
}

ip_address ip_address::v6(const std::byte* sixteen) noexcept {
  ip_address a;
  a.family = ip_family::v6;
  std::memcpy(a.bytes.data(), sixteen, 16);
  return a;
}

std::string to_string(const ip_address& address) {
  char text[INET6_ADDRSTRLEN];
  const int family = address.family == ip_family::v4 ? AF_INET : AF_INET6;
  return inet_ntop(family, address.bytes.data(), text, sizeof text);
}

std::string to_string(const endpoint& e) {
  const auto port = std::to_string(e.port);
  const auto address = to_string(e.address);
  return e.address.family == ip_family::v4 ? address + ':' + port : '[' + address + "]:" + port;
}

} // namespace weir
