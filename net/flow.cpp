#include <weir/net/flow.hpp>

#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

std::string_view to_string(encapsulation_layer::kind kind) noexcept {
  using enum encapsulation_layer::kind;
  switch (kind) {
  case vlan: return "vlan";
  case mpls: return "mpls";
  case pppoe: return "pppoe";
  case ip_in_ip: return "ip";
  case gre: return "gre";
  case erspan: return "erspan";
  case vxlan: return "vxlan";
  case geneve: return "geneve";
  case gtp_u: return "gtp-u";
  case teredo: return "teredo";
  case ayiya: return "ayiya";
  }
  return "unknown";
}

std::uint64_t secret_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return seed;
}

std::uint64_t hash(const flow_key& key, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(&key, sizeof key, seed);
}

} // namespace weir
