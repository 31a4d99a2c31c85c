/// Packets in packets. Tunnels over UDP are told by a port and by a header that makes sense: any
/// other datagram on that port is UDP.
#include <weir/net/decode/packet_walk.hpp>

namespace weir {
namespace {

using kind = encapsulation_layer::kind;

constexpr std::uint8_t protocol_ipv4 = 4;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_ipv6 = 41;
constexpr std::uint8_t protocol_gre = 47;

// GRE's flags (RFC 2784 2.1, RFC 2890 2, RFC 1701, RFC 2637 4.1).
constexpr std::uint16_t gre_checksum = 0x8000;
constexpr std::uint16_t gre_routing = 0x4000;
constexpr std::uint16_t gre_key = 0x2000;
constexpr std::uint16_t gre_sequence = 0x1000;
constexpr std::uint16_t gre_acknowledgment = 0x0080;
constexpr std::uint16_t gre_version = 0x0007;

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
constexpr std::uint16_t ethertype_bridged = 0x6558;
constexpr std::uint16_t ethertype_mpls = 0x8847;
constexpr std::uint16_t ethertype_erspan = 0x88be;
constexpr std::uint16_t ethertype_erspan3 = 0x22eb;

/// Aruba's access points number their tunnels by GRE's protocol type, and all of them carry IEEE
/// 802.11 frames.
bool aruba_wlan(std::uint16_t type) noexcept {
  return (type >= 0x8200 && type <= 0x8370 && type % 0x10 == 0) || type == 0x9000;
}

bool common_tunnel_payload(std::uint16_t type) noexcept {
  return type == ethertype_ipv4 || type == ethertype_ipv6 || type == ethertype_bridged
         || type == ethertype_mpls;
}

} // namespace

void packet_walk::tunnel(encapsulation_layer::kind type, std::uint32_t id) {
  const auto address = ends_.family == ip_family::v4 ? ip_address::v4 : ip_address::v6;
  path_.add({.type = type,
             .id = id,
             .source = address(ends_.source),
             .destination = address(ends_.destination)});
}

/// RFC 2003, RFC 2473, RFC 4213 3.
packet_walk::layer packet_walk::ip_in_ip(layer inner) {
  tunnel(kind::ip_in_ip, 0);
  return inner;
}

packet_walk::layer packet_walk::gre() {
  const auto flags = in_.u16();
  if ((flags & gre_version) == 1) return pptp(flags);
  const auto type = in_.u16();
  if ((flags & (gre_checksum | gre_routing)) != 0) in_.skip(4);
  const auto key = (flags & gre_key) != 0 ? in_.u32() : 0;
  const bool numbered = (flags & gre_sequence) != 0;
  if (numbered) in_.skip(4);
  if ((flags & gre_routing) != 0) {
    // Source route entries up to an empty one.
    bool more = true;
    while (in_ && more) {
      const auto family = in_.u16();
      in_.skip(1);
      const auto length = in_.u8();
      in_.skip(length);
      more = family != 0 || length != 0;
    }
  }
  if (!in_) return malformed();
  if ((flags & gre_version) != 0) return other(protocol_space::ip, protocol_gre);
  if (type == ethertype_erspan) return erspan(numbered);
  if (type == ethertype_erspan3) return erspan3();
  // Small numbers are no lengths here: a Cisco keepalive, or OSI.
  if (type < 0x0600) return other(protocol_space::ip, protocol_gre);
  tunnel(kind::gre, key);
  return aruba_wlan(type) ? layer::wlan : by_ethertype(type);
}

/// RFC 2637 4.1: the key is the payload's length and the receiver's call.
packet_walk::layer packet_walk::pptp(std::uint16_t flags) {
  in_.skip(2);
  const auto length = in_.u16();
  const auto call = in_.u16();
  const bool has_payload = (flags & gre_sequence) != 0;
  if (has_payload) in_.skip(4);
  if ((flags & gre_acknowledgment) != 0) in_.skip(4);
  if (!in_) return malformed();
  if (!has_payload || (flags & gre_key) == 0) return other(protocol_space::ip, protocol_gre);
  bound(length);
  tunnel(kind::gre, call);
  return layer::ppp;
}

/// Type I has no header of its own and no GRE sequence number, type II has both
/// (draft-foschiano-erspan 4.1, 4.2).
packet_walk::layer packet_walk::erspan(bool has_header) {
  if (!has_header) {
    tunnel(kind::erspan, 0);
    return layer::ethernet;
  }
  const auto version = in_.u16() >> 12;
  const auto session = in_.u16() & 0x03ffu;
  in_.skip(4);
  if (!in_) return malformed();
  if (version != 1) return other(protocol_space::ip, protocol_gre);
  tunnel(kind::erspan, session);
  return layer::ethernet;
}

/// Type III (draft-foschiano-erspan 4.3).
packet_walk::layer packet_walk::erspan3() {
  const auto version = in_.u16() >> 12;
  const auto session = in_.u16() & 0x03ffu;
  in_.skip(6);
  const auto details = in_.u16();
  constexpr std::uint16_t has_subheader = 0x0001;
  if ((details & has_subheader) != 0) in_.skip(8);
  if (!in_) return malformed();
  const auto frame_type = details >> 10 & 0x1f;
  if (version != 2 || (frame_type != 0 && frame_type != 2))
    return other(protocol_space::ip, protocol_gre);
  tunnel(kind::erspan, session);
  return frame_type == 0 ? layer::ethernet : layer::ip;
}

packet_walk::layer packet_walk::udp() {
  constexpr std::size_t header = 8;
  const auto source = in_.u16();
  const auto destination = in_.u16();
  const auto length = in_.u16();
  in_.skip(2);
  if (!in_) return malformed();
  // Zero as for IP: longer than the field can say.
  if (length != 0) {
    if (length < header) return malformed();
    bound(length - header);
  }
  switch (destination) {
  case 4789: // IANA's
  case 8472: // Linux's, before there was one
    return vxlan();
  case 6081: return geneve();
  case 4754: // RFC 8086; nothing but the flags that a tunnel uses, and a payload that one carries
    if ((in_.peek_u16() & ~(gre_checksum | gre_key | gre_sequence)) == 0
        && common_tunnel_payload(in_.peek_u16(2)))
      return layer::gre;
    break;
  case 6635: // RFC 7510
    if (looks_like_mpls()) return layer::mpls;
    break;
  default: break;
  }
  constexpr std::uint16_t gtp_u_port = 2152;
  constexpr std::uint16_t teredo_port = 3544;
  constexpr std::uint16_t ayiya_port = 5072;
  if (destination == gtp_u_port || source == gtp_u_port) return gtp_u();
  if (destination == teredo_port || source == teredo_port) return teredo();
  if (destination == ayiya_port || source == ayiya_port) return ayiya();
  return other(protocol_space::ip, protocol_udp);
}

/// RFC 7348 5. Reserved bits are zero but for group policy's.
packet_walk::layer packet_walk::vxlan() {
  const auto flags = in_.u8();
  in_.skip(3);
  const auto vni = in_.u32();
  constexpr std::uint8_t has_vni = 0x08;
  if (!in_ || (flags & has_vni) == 0 || (vni & 0xff) != 0)
    return other(protocol_space::ip, protocol_udp);
  tunnel(kind::vxlan, vni >> 8);
  return layer::ethernet;
}

/// RFC 8926 3.4.
packet_walk::layer packet_walk::geneve() {
  const auto first = in_.u8();
  in_.skip(1);
  const auto type = in_.u16();
  const auto vni = in_.u32();
  in_.skip((first & 0x3fu) * std::size_t{4});
  const auto version = first >> 6;
  if (!in_ || version != 0 || !common_tunnel_payload(type))
    return other(protocol_space::ip, protocol_udp);
  tunnel(kind::geneve, vni >> 8);
  return by_ethertype(type);
}

/// 3GPP TS 29.281 5.1, 5.2: only messages that carry a user's packet (G-PDU).
packet_walk::layer packet_walk::gtp_u() {
  const auto flags = in_.u8();
  const auto message = in_.u8();
  const auto length = in_.u16();
  const auto teid = in_.u32();
  constexpr std::uint8_t version_and_type_mask = 0xf0;
  constexpr std::uint8_t version1_gtp = 0x30;
  constexpr std::uint8_t g_pdu = 255;
  if (!in_ || (flags & version_and_type_mask) != version1_gtp || message != g_pdu
      || length > wire_size())
    return other(protocol_space::ip, protocol_udp);
  bound(length);
  constexpr std::uint8_t optional_fields = 0x07;
  constexpr std::uint8_t extended = 0x04;
  if ((flags & optional_fields) != 0) {
    in_.skip(3);
    auto next = in_.u8();
    if ((flags & extended) == 0) next = 0;
    while (in_ && next != 0) {
      // In units of four bytes, this one and the next header's type included; never zero.
      const auto units = in_.u8();
      if (units == 0) return other(protocol_space::ip, protocol_udp);
      in_.skip(units * 4u - 2);
      next = in_.u8();
    }
  }
  const auto ip_version = in_.peek_u8() >> 4;
  if (!in_ || (ip_version != 4 && ip_version != 6)) return other(protocol_space::ip, protocol_udp);
  tunnel(kind::gtp_u, teid);
  return layer::ip;
}

/// RFC 4380 5.1.1: an IPv6 packet, after authentication and origin where they are there.
packet_walk::layer packet_walk::teredo() {
  constexpr std::uint16_t authentication = 0x0001;
  constexpr std::uint16_t origin = 0x0000;
  if (in_.size() >= 2 && in_.peek_u16() == authentication) {
    in_.skip(2);
    const auto identifier = in_.u8();
    const auto value = in_.u8();
    constexpr std::size_t nonce_and_confirmation = 9;
    in_.skip(identifier + value + nonce_and_confirmation);
  }
  if (in_.size() >= 2 && in_.peek_u16() == origin) in_.skip(8);
  if (!in_ || in_.peek_u8() >> 4 != 6 || !fits_ip(in_, wire_size()))
    return other(protocol_space::ip, protocol_udp);
  tunnel(kind::teredo, 0);
  return layer::ipv6;
}

/// draft-massar-v6ops-ayiya-02 3: only operations that forward a packet, and only where it is one.
packet_walk::layer packet_walk::ayiya() {
  const auto identity = std::size_t{1} << (in_.u8() >> 4);
  const auto signature = (in_.u8() >> 4) * std::size_t{4};
  const auto operation = in_.u8() & 0x0f;
  const auto next = in_.u8();
  constexpr std::size_t epoch = 4;
  in_.skip(epoch + identity + signature);
  constexpr int forward = 1;
  constexpr int echo_request_and_forward = 3;
  const auto ip_version = in_.peek_u8() >> 4;
  const bool plausible =
      (operation == forward || operation == echo_request_and_forward)
      && ((next == protocol_ipv4 && ip_version == 4) || (next == protocol_ipv6 && ip_version == 6));
  if (!in_ || !plausible || !fits_ip(in_, wire_size()))
    return other(protocol_space::ip, protocol_udp);
  tunnel(kind::ayiya, 0);
  return layer::ip;
}

/// A label stack that ends, and what may follow one.
bool packet_walk::looks_like_mpls() const noexcept {
  auto labels = in_;
  constexpr std::uint32_t bottom = 0x100;
  for (auto left = max_layers_; labels && left != 0; --left) {
    if ((labels.u32() & bottom) == 0) continue;
    const auto nibble = labels.peek_u8() >> 4;
    return labels.size() != 0 && (nibble == 4 || nibble == 6 || nibble == 0);
  }
  return false;
}

} // namespace weir
