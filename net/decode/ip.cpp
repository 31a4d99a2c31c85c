/// IPv4, IPv6 with its extension headers, and fragments of both.
#include <weir/net/decode/checksum.hpp>
#include <weir/net/decode/packet_walk.hpp>

namespace weir {
namespace {

constexpr std::size_t ipv4_header = 20;
constexpr std::size_t ipv6_header = 40;
constexpr std::size_t ipv6_address = 16;

std::uint8_t number(std::byte b) noexcept { return std::to_integer<std::uint8_t>(b); }

} // namespace

packet_walk::layer packet_walk::ip() noexcept {
  switch (in_.peek_u8() >> 4) {
  case 4: return layer::ipv4;
  case 6: return layer::ipv6;
  default: return malformed();
  }
}

bool packet_walk::fits_ip(const cursor& at, std::size_t wire_size) noexcept {
  switch (at.peek_u8() >> 4) {
  case 4: {
    const std::size_t header = (at.peek_u8() & 0x0fu) * std::size_t{4};
    const std::size_t total = at.peek_u16(2);
    return header >= ipv4_header && total >= header && total <= wire_size;
  }
  case 6: return at.peek_u16(4) + ipv6_header <= wire_size;
  default: return false;
  }
}

/// RFC 791 3.1.
packet_walk::layer packet_walk::ipv4() {
  const auto h = in_.bytes(ipv4_header);
  if (!in_ || number(h[0]) >> 4 != 4) return malformed();
  const std::size_t header = (number(h[0]) & 0x0fu) * std::size_t{4};
  if (header < ipv4_header || !in_.skip(header - ipv4_header)) return malformed();
  // Zero: the sender's interface will cut it to size, or it is longer than the field can say.
  if (const std::size_t total = load_be16(&h[2]); total != 0) {
    if (total < header) return malformed();
    bound_ip(total - header);
  }
  if (verify_checksums_) {
    checksum sum;
    sum.add({h.data(), header});
    if (!sum.ok()) return finish(outcome::bad_checksum);
  }
  ends_ = {&h[12], &h[16], ip_family::v4};
  const auto protocol = number(h[9]);
  const auto fragment_field = load_be16(&h[6]);
  constexpr std::uint16_t more_fragments = 0x2000;
  constexpr std::uint16_t offset_mask = 0x1fff;
  if ((fragment_field & (more_fragments | offset_mask)) == 0) return by_protocol(protocol);
  return reassemble(protocol, load_be16(&h[4]), (fragment_field & offset_mask) * 8u,
                    (fragment_field & more_fragments) != 0);
}

/// RFC 8200 3.
packet_walk::layer packet_walk::ipv6() noexcept {
  const auto h = in_.bytes(ipv6_header);
  if (!in_ || number(h[0]) >> 4 != 6) return malformed();
  // Zero: a jumbogram (RFC 2675), or one that the sender's interface will cut to size.
  if (const auto payload = load_be16(&h[4]); payload != 0) bound_ip(payload);
  ends_ = {&h[8], &h[24], ip_family::v6};
  return by_protocol(number(h[6]));
}

/// https://www.iana.org/assignments/protocol-numbers
packet_walk::layer packet_walk::by_protocol(std::uint8_t protocol) noexcept {
  switch (protocol) {
  case 6: return layer::tcp;
  case 17: return layer::udp;
  case 4: return layer::ip_in_ip_v4;
  case 41: return layer::ip_in_ip_v6;
  case 47: return layer::gre;
  case 51: return layer::ip_authentication;
  case 137: return layer::mpls;
  default: break;
  }
  if (ends_.family == ip_family::v6) {
    switch (protocol) {
    case 0:   // hop-by-hop options
    case 60:  // destination options
    case 135: // mobility (RFC 6275 6.1)
    case 139: // host identity (RFC 7401 5)
    case 140: // shim6 (RFC 5533 5)
      extension_ = protocol;
      return layer::ip_options;
    case 43: return layer::ip_routing;
    case 44: return layer::ip_fragment;
    default: break;
    }
  }
  return other(protocol_space::ip, protocol);
}

/// An extension header that begins with the next header's protocol and its own length in units of
/// eight bytes, not counting the first (RFC 8200 4.3, RFC 6564 4).
packet_walk::layer packet_walk::options() noexcept {
  const auto next = in_.u8();
  const auto length = in_.u8();
  const auto body = in_.bytes(length * 8u + 6);
  if (!in_) return malformed();
  constexpr std::uint8_t destination_options = 60;
  if (extension_ == destination_options) find_home_address(cursor{body});
  return by_protocol(next);
}

/// A mobile node's home address stands for its own in the pseudo header, and so in the connection
/// (RFC 6275 6.3, 11.3.1).
void packet_walk::find_home_address(cursor options) noexcept {
  constexpr std::uint8_t pad1 = 0;
  constexpr std::uint8_t home_address = 201;
  while (options && options.size() != 0) {
    const auto type = options.u8();
    if (type == pad1) continue;
    const auto value = options.bytes(options.u8());
    if (options && type == home_address && value.size() == ipv6_address)
      ends_.source = value.data();
  }
}

/// While segments are left, the packet is on its way to another address than its destination's; the
/// connection is with the last one (RFC 8200 8.1).
packet_walk::layer packet_walk::routing() noexcept {
  const auto next = in_.u8();
  const auto length = in_.u8();
  const auto type = in_.u8();
  const auto segments_left = in_.u8();
  const auto body = in_.bytes(length * 8u + 4);
  if (!in_) return malformed();
  constexpr std::size_t reserved = 4;
  const auto addresses = body.subspan(reserved);
  const auto count = addresses.size() / ipv6_address;
  if (segments_left == 0 || count == 0) return by_protocol(next);
  switch (type) {
  case 0: // source route (RFC 2460 4.4): in the order of travel
    if (segments_left <= count) ends_.destination = &addresses[(count - 1) * ipv6_address];
    break;
  case 2: // home address (RFC 6275 6.4): only one
  case 4: // segments (RFC 8754 2): the last one first
    ends_.destination = addresses.data();
    break;
  default: break;
  }
  return by_protocol(next);
}

/// RFC 8200 4.5. A fragment that is all of its datagram is processed alone (RFC 6946 4).
packet_walk::layer packet_walk::ipv6_fragment() {
  const auto next = in_.u8();
  in_.skip(1);
  const auto field = in_.u16();
  const auto id = in_.u32();
  if (!in_) return malformed();
  const std::uint32_t offset = field & 0xfff8u;
  const bool more = (field & 1) != 0;
  if (offset == 0 && !more) return by_protocol(next);
  return reassemble(next, id, offset, more);
}

/// RFC 4302 2: unlike the other headers', its length counts units of four bytes, less two.
packet_walk::layer packet_walk::authentication() noexcept {
  const auto next = in_.u8();
  const auto length = in_.u8();
  in_.skip((length + 2u) * 4 - 2);
  return in_ ? by_protocol(next) : malformed();
}

packet_walk::layer packet_walk::reassemble(std::uint8_t protocol, std::uint32_t id,
                                           std::uint32_t offset, bool more) {
  was_fragment_ = true;
  const auto size = ends_.family == ip_family::v4 ? std::size_t{4} : ipv6_address;
  fragment f{.key = {},
             .protocol = protocol,
             .offset = offset,
             .more = more,
             .cut = missing_ != 0,
             .payload = in_.rest(),
             .time = time_};
  std::memcpy(f.key.source.data(), ends_.source, size);
  std::memcpy(f.key.destination.data(), ends_.destination, size);
  f.key.id = id;
  f.key.context = path_.context();
  f.key.family = ends_.family;
  f.key.protocol = ends_.family == ip_family::v4 ? protocol : std::uint8_t{0};

  datagram whole;
  switch (fragments_.add(f, whole)) {
  case fragment_table::status::malformed: return malformed();
  case fragment_table::status::pending: return finish(outcome::fragment);
  case fragment_table::status::complete: break;
  }
  in_ = cursor{bytes_view{whole.bytes.get(), whole.size}};
  missing_ = 0;
  block_->adopt(std::move(whole.bytes));
  return by_protocol(whole.protocol);
}

} // namespace weir
