/// A flow: the 5-tuple with both directions in one, and what it is wrapped in.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weir/net/address.hpp>

namespace weir {

/// Who opened the session, and who answered.
enum class side : std::uint8_t { client, server };

inline constexpr side both_sides[] = {side::client, side::server};

constexpr side other(side s) noexcept { return s == side::client ? side::server : side::client; }
constexpr std::size_t index(side s) noexcept { return static_cast<std::size_t>(s); }
constexpr std::string_view to_string(side s) noexcept {
  return s == side::client ? "client" : "server";
}

/// A layer that a packet was wrapped in, outermost first in a list.
struct encapsulation_layer {
  enum class kind : std::uint8_t {
    vlan,
    mpls,
    pppoe,
    ip_in_ip,
    gre,
    erspan,
    vxlan,
    geneve,
    gtp_u,
    teredo,
    ayiya,
  };
  kind type;
  /// VLAN id, MPLS label, PPPoE session, GRE key, ERSPAN session, VNI or TEID; zero where there is
  /// none.
  std::uint32_t id = 0;
  /// The tunnel's ends; unused (default) for VLAN, MPLS and PPPoE.
  ip_address source{};
  ip_address destination{};

  bool operator==(const encapsulation_layer&) const = default;
};

std::string_view to_string(encapsulation_layer::kind kind) noexcept;

using encapsulation = std::vector<encapsulation_layer>;

/// Identity of a flow: ends in a fixed order (a <= b by address, then port), so that both
/// directions have the same key. `context` is a keyed hash of the encapsulation's direction-free
/// parts (VLAN ids, VNIs, unordered tunnel ends), zero for none: equal inner addresses in different
/// networks are different flows. Plain bytes without padding: compared and hashed as such.
struct flow_key {
  std::array<std::uint8_t, 16> address_a{};
  std::array<std::uint8_t, 16> address_b{};
  std::uint16_t port_a = 0;
  std::uint16_t port_b = 0;
  std::uint32_t context = 0;
  ip_family family = ip_family::v4;
  std::uint8_t protocol = 6;
  std::uint16_t zero = 0;

  bool operator==(const flow_key& o) const noexcept { return std::memcmp(this, &o, sizeof o) == 0; }
  endpoint a() const noexcept { return {{address_a, family}, port_a}; }
  endpoint b() const noexcept { return {{address_b, family}, port_b}; }
};
static_assert(std::has_unique_object_representations_v<flow_key>);

/// A seed that no sender of packets can know: 64 bits from the operating system, drawn once a
/// process.
std::uint64_t secret_seed();

/// The flow's hash under `seed`: the same for both directions.
std::uint64_t hash(const flow_key& key, std::uint64_t seed) noexcept;

} // namespace weir
