#include <weir/net/decode/protocol_counts.hpp>

#include <fmt/format.h>

#include <weir/net/link_type.hpp>

namespace weir {
namespace {

struct name {
  protocol_id id;
  const char* text;
};

using enum protocol_space;

constexpr protocol_id id(wireless_frame f) noexcept {
  return {wireless, static_cast<std::uint16_t>(f)};
}

constexpr name names[] = {
    {{ip, 1}, "icmp"},
    {{ip, 2}, "igmp"},
    {{ip, 17}, "udp"},
    {{ip, 33}, "dccp"},
    {{ip, 47}, "gre"},
    {{ip, 50}, "esp"},
    {{ip, 58}, "icmpv6"},
    {{ip, 59}, "ipv6 without payload"},
    {{ip, 88}, "eigrp"},
    {{ip, 89}, "ospf"},
    {{ip, 103}, "pim"},
    {{ip, 112}, "vrrp"},
    {{ip, 115}, "l2tp"},
    {{ip, 132}, "sctp"},
    {{ip, 136}, "udp-lite"},
    {{ethertype, 0x0806}, "arp"},
    {{ethertype, 0x8035}, "rarp"},
    {{ethertype, 0x8847}, "mpls"},
    {{ethertype, 0x8863}, "pppoe discovery"},
    {{llc, 0x42}, "stp"},
    {id(wireless_frame::management), "802.11 management"},
    {id(wireless_frame::control), "802.11 control"},
    {id(wireless_frame::null), "802.11 null"},
    {id(wireless_frame::encrypted), "802.11 encrypted"},
    {id(wireless_frame::fragment), "802.11 fragment"},
    {id(wireless_frame::damaged), "802.11 damaged"},
    {id(wireless_frame::other), "802.11 other"},
};

} // namespace

std::string to_string(protocol_id id) {
  for (const auto& n : names)
    if (n.id == id) return n.text;
  switch (id.space) {
  case ip: return fmt::format("ip protocol {}", id.number);
  case ethertype: return fmt::format("ethertype {:#06x}", id.number);
  case ppp: return fmt::format("ppp protocol {:#06x}", id.number);
  case llc: return fmt::format("llc {:#04x}", id.number);
  case snap: return fmt::format("snap {:#06x}", id.number);
  case address_family: return fmt::format("address family {}", id.number);
  case link: return to_string(static_cast<link_type>(id.number));
  case wireless: return fmt::format("802.11 {}", id.number);
  }
  return "other";
}

void protocol_counts::add(protocol_id id) noexcept {
  if (id.space == ip) {
    ++ip_[id.number % ip_.size()];
    return;
  }
  const auto start = id.number + static_cast<std::size_t>(id.space) * 7;
  for (std::size_t i = 0; i < others_.size(); ++i) {
    auto& s = others_[(start + i) % others_.size()];
    if (s.packets == 0) s.id = id;
    if (s.id == id) {
      ++s.packets;
      return;
    }
  }
  ++rest_;
}

std::map<std::string, std::uint64_t> protocol_counts::by_name() const {
  std::map<std::string, std::uint64_t> all;
  for (std::size_t number = 0; number < ip_.size(); ++number)
    if (ip_[number] != 0) all[to_string({ip, static_cast<std::uint16_t>(number)})] += ip_[number];
  for (const auto& s : others_)
    if (s.packets != 0) all[to_string(s.id)] += s.packets;
  if (rest_ != 0) all["other"] += rest_;
  return all;
}

} // namespace weir
