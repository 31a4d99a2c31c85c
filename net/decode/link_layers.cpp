/// Everything between a capture's link type and IP.
#include <weir/net/decode/packet_walk.hpp>

namespace weir {
namespace {

/// Below this the field after the MAC addresses is a length (IEEE 802.3 3.2.6).
constexpr std::uint16_t min_ethertype = 0x0600;
constexpr std::uint16_t mpls_unicast = 0x8847;
constexpr std::uint16_t pppoe_session = 0x8864;

/// What an Ethernet frame in a pseudowire may well carry.
bool common_ethertype(std::uint16_t type, std::size_t payload) noexcept {
  switch (type) {
  case 0x0800:
  case 0x0806:
  case 0x86dd:
  case 0x8100:
  case 0x88a8:
  case 0x9100:
  case 0x8847:
  case 0x8848:
  case 0x8863:
  case 0x8864: return true;
  default: return type >= 3 && type <= 1500 && type <= payload;
  }
}

} // namespace

packet_walk::layer packet_walk::first(link_type link) noexcept {
  switch (link) {
  case link_type::ethernet: return layer::ethernet;
  case link_type::fddi: return layer::fddi;
  case link_type::raw_12:
  case link_type::raw_14:
  case link_type::raw: return layer::ip;
  case link_type::ipv4: return layer::ipv4;
  case link_type::ipv6: return layer::ipv6;
  case link_type::null: return layer::null;
  case link_type::loop: return layer::loop;
  case link_type::linux_sll: return layer::linux_sll;
  case link_type::linux_sll2: return layer::linux_sll2;
  case link_type::ppp: return layer::ppp;
  case link_type::ppp_serial: return layer::ppp_serial;
  case link_type::ppp_ether: return layer::pppoe;
  case link_type::cisco_hdlc: return layer::cisco_hdlc;
  case link_type::nflog: return layer::nflog;
  case link_type::ieee802_11: return layer::wlan;
  case link_type::ieee802_11_radiotap: return layer::radiotap;
  case link_type::prism: return layer::prism;
  case link_type::ieee802_11_avs: return layer::avs;
  case link_type::ppi: return layer::ppi;
  }
  what_ = {protocol_space::link, static_cast<std::uint16_t>(link)};
  return finish(outcome::unknown_link);
}

packet_walk::layer packet_walk::by_ethertype(std::uint16_t type) noexcept {
  switch (type) {
  case 0x0800: return layer::ipv4;
  case 0x86dd: return layer::ipv6;
  case 0x8100:
  case 0x88a8:
  case 0x9100: return layer::vlan;
  case mpls_unicast:
  case 0x8848: return layer::mpls;
  case pppoe_session: return layer::pppoe;
  case 0x880b: return layer::ppp;
  case 0x6558: return layer::ethernet;
  default: break;
  }
  if (type >= min_ethertype) return other(protocol_space::ethertype, type);
  bound(type);
  return layer::llc;
}

packet_walk::layer packet_walk::ethernet() noexcept {
  in_.skip(12);
  const auto type = in_.u16();
  return in_ ? by_ethertype(type) : malformed();
}

/// ISO 9314-2: a frame control byte before the addresses says whether LLC follows (RFC 1390).
packet_walk::layer packet_walk::fddi() noexcept {
  const auto control = in_.u8();
  in_.skip(12);
  if (!in_) return malformed();
  constexpr std::uint8_t class_and_format = 0x38;
  constexpr std::uint8_t llc_frame = 0x10;
  if ((control & class_and_format) == llc_frame) return layer::llc;
  return other(protocol_space::link, static_cast<std::uint16_t>(link_type::fddi));
}

/// IEEE 802.2, and SNAP with Ethernet's types (RFC 1042) or a bridge's (IEEE 802.1H).
packet_walk::layer packet_walk::llc() noexcept {
  const auto destination = in_.u8();
  const auto source = in_.u8();
  const auto control = in_.u8();
  if (!in_) return malformed();
  constexpr std::uint8_t snap = 0xaa;
  constexpr std::uint8_t ip_sap = 0x06;
  constexpr std::uint8_t unnumbered = 0x03;
  if (destination == ip_sap && source == ip_sap && control == unnumbered) return layer::ip;
  if (destination != snap || source != snap || control != unnumbered)
    return other(protocol_space::llc, destination);
  const auto organisation = in_.u8() << 16 | in_.u16();
  const auto type = in_.u16();
  if (!in_) return malformed();
  if ((organisation == 0 || organisation == 0x0000f8) && type >= min_ethertype)
    return by_ethertype(type);
  return other(protocol_space::snap, type);
}

/// IEEE 802.1Q. Identifier zero is a priority tag, which names no VLAN.
packet_walk::layer packet_walk::vlan() {
  const auto id = static_cast<std::uint16_t>(in_.u16() & 0x0fff);
  const auto type = in_.u16();
  if (!in_) return malformed();
  if (id != 0) path_.add({.type = encapsulation_layer::kind::vlan, .id = id});
  return by_ethertype(type);
}

/// One label (RFC 3032 2.1), and at the bottom of the stack what follows it.
packet_walk::layer packet_walk::mpls() {
  const auto entry = in_.u32();
  if (!in_) return malformed();
  path_.add({.type = encapsulation_layer::kind::mpls, .id = entry >> 12});
  constexpr std::uint32_t bottom = 0x100;
  return (entry & bottom) == 0 ? layer::mpls : pseudowire();
}

/// Nothing says what is below the labels. IP is told by its version; what is not a plausible IP
/// packet can be an Ethernet frame, with or without a control word (RFC 4448 4.6, RFC 8469).
packet_walk::layer packet_walk::pseudowire() noexcept {
  const auto ethernet_at = [&](std::size_t at) {
    const std::size_t header = at + 14;
    return in_.size() >= header && common_ethertype(in_.peek_u16(at + 12), wire_size() - header);
  };
  const auto nibble = in_.peek_u8() >> 4;
  if ((nibble == 4 || nibble == 6) && (fits_ip(in_, wire_size()) || !ethernet_at(0)))
    return layer::ip;
  constexpr std::size_t control_word = 4;
  if (in_.peek_u16() == 0 && ethernet_at(control_word)) {
    in_.skip(control_word);
    return layer::ethernet;
  }
  if (ethernet_at(0)) return layer::ethernet;
  return other(protocol_space::ethertype, mpls_unicast);
}

/// RFC 2516 4.
packet_walk::layer packet_walk::pppoe() {
  const auto version_type = in_.u8();
  const auto code = in_.u8();
  const auto session = in_.u16();
  const auto length = in_.u16();
  if (!in_) return malformed();
  if (version_type != 0x11 || code != 0) return other(protocol_space::ethertype, pppoe_session);
  bound(length);
  path_.add({.type = encapsulation_layer::kind::pppoe, .id = session});
  return layer::ppp;
}

/// RFC 1661 2, with or without the framing of RFC 1662 3.1, and with its protocol field compressed
/// or not (RFC 1661 6.5): only the last byte of a protocol is odd.
packet_walk::layer packet_walk::ppp() noexcept {
  if (in_.peek_u16() == 0xff03) in_.skip(2);
  std::uint16_t protocol = in_.u8();
  if ((protocol & 1) == 0) protocol = static_cast<std::uint16_t>(protocol << 8 | in_.u8());
  if (!in_) return malformed();
  switch (protocol) {
  case 0x0021: return layer::ipv4;
  case 0x0057: return layer::ipv6;
  case 0x0281:
  case 0x0283: return layer::mpls;
  default: return other(protocol_space::ppp, protocol);
  }
}

/// PPP in HDLC framing, or Cisco's HDLC, whose address byte tells.
packet_walk::layer packet_walk::ppp_serial() noexcept {
  const auto address = in_.peek_u8();
  return address == 0x0f || address == 0x8f ? layer::cisco_hdlc : layer::ppp;
}

packet_walk::layer packet_walk::cisco_hdlc() noexcept {
  in_.skip(2);
  const auto type = in_.u16();
  if (!in_) return malformed();
  return type < min_ethertype ? other(protocol_space::ethertype, type) : by_ethertype(type);
}

/// An ethertype, or one of Linux's own numbers, of which 4 is IEEE 802.2.
packet_walk::layer packet_walk::by_linux_protocol(std::uint16_t type) noexcept {
  constexpr std::uint16_t ieee_802_2 = 4;
  if (type == ieee_802_2) return layer::llc;
  return type < min_ethertype ? other(protocol_space::ethertype, type) : by_ethertype(type);
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html
packet_walk::layer packet_walk::linux_sll() noexcept {
  in_.skip(14);
  const auto type = in_.u16();
  return in_ ? by_linux_protocol(type) : malformed();
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html
packet_walk::layer packet_walk::linux_sll2() noexcept {
  const auto type = in_.u16();
  in_.skip(18);
  return in_ ? by_linux_protocol(type) : malformed();
}

/// AF_INET is 2 everywhere; AF_INET6 is another number on each system.
packet_walk::layer packet_walk::by_address_family(std::uint32_t family) noexcept {
  switch (family) {
  case 2: return layer::ipv4;
  case 10: // Linux
  case 23: // Windows
  case 24: // NetBSD, OpenBSD
  case 28: // FreeBSD
  case 30: // Darwin
    return layer::ipv6;
  default: return other(protocol_space::address_family, static_cast<std::uint16_t>(family));
  }
}

/// The family in the byte order of the host that captured.
packet_walk::layer packet_walk::null() noexcept {
  const auto family = in_.u32();
  if (!in_) return malformed();
  return by_address_family(family > 0xffff ? __builtin_bswap32(family) : family);
}

packet_walk::layer packet_walk::loop() noexcept {
  const auto family = in_.u32();
  return in_ ? by_address_family(family) : malformed();
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html: attributes in the byte order of the host
/// that captured, one of which is the packet.
packet_walk::layer packet_walk::nflog() noexcept {
  constexpr std::size_t attribute_header = 4;
  constexpr std::uint16_t payload = 9;
  constexpr std::uint16_t type_mask = 0x7fff;
  const auto family = in_.u8();
  in_.skip(3);
  while (in_ && in_.size() >= attribute_header) {
    auto length = in_.u16();
    auto type = in_.u16();
    // Types are small numbers: which order makes this one small?
    if ((__builtin_bswap16(type) & type_mask) <= 0xff) {
      length = __builtin_bswap16(length);
      type = __builtin_bswap16(type);
    }
    if (length < attribute_header) return malformed();
    if ((type & type_mask) == payload) {
      bound(length - attribute_header);
      return by_address_family(family);
    }
    in_.skip((length + std::size_t{3}) / 4 * 4 - attribute_header);
  }
  return malformed();
}

} // namespace weir
