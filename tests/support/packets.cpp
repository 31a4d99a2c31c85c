#include <weir/tests/support/packets.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>

namespace weir::test {
namespace {

/// Appends numbers in network byte order.
class writer {
public:
  template<std::integral T>
  writer& u8(T v) {
    bytes.push_back(static_cast<std::byte>(v & 0xff));
    return *this;
  }
  template<std::integral T>
  writer& u16(T v) {
    return u8(static_cast<std::uint32_t>(v) >> 8).u8(v);
  }
  template<std::integral T>
  writer& u32(T v) {
    return u16(static_cast<std::uint32_t>(v) >> 16).u16(v);
  }
  writer& zeros(std::size_t n) {
    bytes.resize(bytes.size() + n);
    return *this;
  }
  writer& add(bytes_view more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  writer& add(const ip_address& a) {
    const std::size_t size = a.family == ip_family::v4 ? 4 : 16;
    return add(std::as_bytes(std::span{a.bytes}).first(size));
  }

  byte_vector bytes;
};

std::uint16_t checksum(bytes_view bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += std::to_integer<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void store16(byte_vector& bytes, std::size_t at, std::size_t value) {
  bytes.at(at) = static_cast<std::byte>(value >> 8 & 0xff);
  bytes.at(at + 1) = static_cast<std::byte>(value & 0xff);
}

/// The transport's bytes with the checksum that these ends give.
byte_vector with_checksum(const transport& t, const ip_address& source,
                          const ip_address& destination) {
  auto data = t.data;
  if (!t.checksum_at) return data;
  const auto covered = bytes_view{data}.subspan(t.checksum_from);
  writer pseudo;
  pseudo.add(t.checksum_source.value_or(source)).add(t.checksum_destination.value_or(destination));
  pseudo.u16(t.checksum_protocol).u32(covered.size()).add(covered);
  store16(data, *t.checksum_at, checksum(pseudo.bytes));
  return data;
}

byte_vector padded(byte_vector bytes, std::size_t multiple, std::size_t already = 0) {
  while ((bytes.size() + already) % multiple != 0)
    bytes.push_back(std::byte{0});
  return bytes;
}

/// `header` in front of `inner`, whose checksum moves along.
transport prepend(std::uint8_t protocol, const byte_vector& header, const transport& inner) {
  auto t = inner;
  t.protocol = protocol;
  t.data = writer{}.add(header).add(inner.data).bytes;
  if (t.checksum_at) {
    *t.checksum_at += header.size();
    t.checksum_from += header.size();
  }
  return t;
}

transport options_header(std::uint8_t protocol, const transport& inner,
                         const byte_vector& options) {
  // PadN of four bytes where there are none; otherwise Pad1 up to a multiple of eight.
  const auto body = padded(options.empty() ? raw({1, 4, 0, 0, 0, 0}) : options, 8, 2);
  return prepend(protocol,
                 writer{}.u8(inner.protocol).u8((body.size() + 2) / 8 - 1).add(body).bytes, inner);
}

void add_labels(writer& w, std::initializer_list<std::uint32_t> labels) {
  std::size_t left = labels.size();
  for (const auto label : labels)
    w.u32(std::size_t{label} << 12 | (--left == 0 ? 0x100 : 0) | 64);
}

std::uint16_t ppp_protocol(const network& inner) {
  switch (inner.ethertype) {
  case 0x0800: return 0x0021;
  case 0x86dd: return 0x0057;
  case 0x8847: return 0x0281;
  default: return 0xc021;
  }
}

constexpr std::size_t ppp_compressed_limit = 0x100;

void add_mac_addresses(writer& w) {
  w.add(raw({0x02, 0, 0, 0, 0, 0x02})).add(raw({0x02, 0, 0, 0, 0, 0x01}));
}

} // namespace

byte_vector raw(std::initializer_list<int> values) {
  writer w;
  for (const auto v : values)
    w.u8(v);
  return w.bytes;
}

ip_address address(std::string_view text) {
  std::array<std::byte, 16> bytes{};
  const std::string copy{text};
  if (inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1) return ip_address::v4(bytes.data());
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return ip_address::v6(bytes.data());
  throw std::invalid_argument{"not an address: " + copy};
}

// -- transports ----------------------------------------------------------------------------------

transport tcp(const tcp_fields& f, content payload) {
  const auto options = padded(f.options, 4);
  writer w;
  w.u16(f.source).u16(f.destination).u32(f.sequence).u32(f.acknowledgment);
  w.u8(f.data_offset.value_or(static_cast<std::uint8_t>(5 + options.size() / 4)) << 4).u8(f.flags);
  w.u16(f.window).u32(0).add(options).add(payload.view());
  return {.protocol = 6, .data = w.bytes, .checksum_at = 16, .checksum_protocol = 6};
}

transport udp(const udp_fields& f, content payload) {
  writer w;
  const auto size = payload.view().size() + 8;
  w.u16(f.source).u16(f.destination).u16(f.length.value_or(static_cast<std::uint16_t>(size)));
  w.u16(0).add(payload.view());
  return {.protocol = 17, .data = w.bytes, .checksum_at = 6, .checksum_protocol = 17};
}

transport other_transport(std::uint8_t protocol, content payload) {
  return {.protocol = protocol, .data = writer{}.add(payload.view()).bytes};
}

transport hop_by_hop(const transport& inner, const byte_vector& options) {
  return options_header(0, inner, options);
}

transport destination_options(const transport& inner, const byte_vector& options) {
  return options_header(60, inner, options);
}

transport home_address(std::string_view home, const transport& inner) {
  // PadN aligns the option to 8n + 6.
  const auto options = writer{}.add(raw({1, 2, 0, 0, 201, 16})).add(address(home)).bytes;
  auto t = options_header(60, inner, options);
  t.checksum_source = address(home);
  return t;
}

transport routing_type0(std::uint8_t segments_left,
                        std::initializer_list<std::string_view> addresses, const transport& inner) {
  writer w;
  w.u8(inner.protocol).u8(addresses.size() * 2).u8(0).u8(segments_left).u32(0);
  for (const auto a : addresses)
    w.add(address(a));
  auto t = prepend(43, w.bytes, inner);
  if (segments_left != 0) t.checksum_destination = address(*(addresses.end() - 1));
  return t;
}

transport mobility(const transport& inner) {
  return prepend(135, writer{}.u8(inner.protocol).u8(0).zeros(6).bytes, inner);
}

transport fragment_header(std::uint32_t id, std::size_t offset, bool more, std::uint8_t protocol,
                          content part) {
  writer w;
  w.u8(protocol).u8(0).u16(offset | (more ? 1 : 0)).u32(id).add(part.view());
  return {.protocol = 44, .data = w.bytes};
}

transport authentication_header(const transport& inner) {
  return prepend(51, writer{}.u8(inner.protocol).u8(4).u16(0).u32(256).u32(1).zeros(12).bytes,
                 inner);
}

// -- networks ------------------------------------------------------------------------------------

network ipv4(const ipv4_fields& f, const transport& inner) {
  const auto source = address(f.source);
  const auto destination = address(f.destination);
  const auto data = with_checksum(inner, source, destination);
  const auto options = padded(f.options, 4);
  const auto words = static_cast<std::uint8_t>(5 + options.size() / 4);
  const auto total = static_cast<std::uint16_t>(words * 4 + data.size());
  writer w;
  w.u8(0x40 | f.header_words.value_or(words)).u8(0).u16(f.total_length.value_or(total)).u16(f.id);
  w.u16((f.more_fragments ? 0x2000 : 0) | f.fragment_offset / 8);
  w.u8(64).u8(inner.protocol).u16(0).add(source).add(destination).add(options);
  store16(w.bytes, 10, checksum(w.bytes));
  return {.ethertype = 0x0800, .data = w.add(data).bytes};
}

std::vector<network> ipv4_fragments(const ipv4_fields& fields, const transport& inner,
                                    std::size_t size) {
  const auto data = with_checksum(inner, address(fields.source), address(fields.destination));
  std::vector<network> all;
  for (std::size_t at = 0; at < data.size(); at += size) {
    auto f = fields;
    f.fragment_offset = at;
    f.more_fragments = at + size < data.size();
    const auto part = bytes_view{data}.subspan(at, std::min(size, data.size() - at));
    all.push_back(ipv4(f, other_transport(inner.protocol, part)));
  }
  return all;
}

network ipv6(const ipv6_fields& f, const transport& inner) {
  const auto source = address(f.source);
  const auto destination = address(f.destination);
  const auto data = with_checksum(inner, source, destination);
  writer w;
  w.u32(0x60000000).u16(f.payload_length.value_or(static_cast<std::uint16_t>(data.size())));
  w.u8(inner.protocol).u8(64).add(source).add(destination).add(data);
  return {.ethertype = 0x86dd, .data = w.bytes};
}

std::vector<network> ipv6_fragments(const ipv6_fields& fields, std::uint32_t id,
                                    const transport& inner, std::size_t size) {
  const auto data = with_checksum(inner, address(fields.source), address(fields.destination));
  std::vector<network> all;
  for (std::size_t at = 0; at < data.size(); at += size) {
    const auto part = bytes_view{data}.subspan(at, std::min(size, data.size() - at));
    const auto more = at + size < data.size();
    all.push_back(ipv6(fields, fragment_header(id, at, more, inner.protocol, part)));
  }
  return all;
}

network other_network(std::uint16_t ethertype, content payload) {
  return {.ethertype = ethertype, .data = writer{}.add(payload.view()).bytes};
}

network vlan(std::uint16_t id, const network& inner, std::uint16_t tag_protocol) {
  return {.ethertype = tag_protocol,
          .data = writer{}.u16(id).u16(inner.ethertype).add(inner.data).bytes};
}

network mpls(std::initializer_list<std::uint32_t> labels, const network& inner) {
  writer w;
  add_labels(w, labels);
  return {.ethertype = 0x8847, .data = w.add(inner.data).bytes};
}

network mpls_pseudowire(std::initializer_list<std::uint32_t> labels, const byte_vector& frame,
                        bool control_word) {
  writer w;
  add_labels(w, labels);
  if (control_word) w.u32(0);
  return {.ethertype = 0x8847, .data = w.add(frame).bytes};
}

network pppoe(std::uint16_t session, const network& inner) {
  writer w;
  w.u8(0x11).u8(0).u16(session).u16(inner.data.size() + 2);
  return {.ethertype = 0x8864, .data = w.u16(ppp_protocol(inner)).add(inner.data).bytes};
}

network bridged(const byte_vector& frame) { return {.ethertype = 0x6558, .data = frame}; }

// -- tunnels -------------------------------------------------------------------------------------

transport ip_in_ip(const network& inner) {
  return {.protocol = static_cast<std::uint8_t>(inner.ethertype == 0x0800 ? 4 : 41),
          .data = inner.data};
}

transport gre(const gre_fields& f, const network& inner) {
  writer w;
  w.u16((f.checksum ? 0x8000 : 0) | (f.routing ? 0x4000 : 0) | (f.key ? 0x2000 : 0)
        | (f.sequence ? 0x1000 : 0));
  w.u16(inner.ethertype);
  if (f.checksum || f.routing) w.u32(0);
  if (f.key) w.u32(*f.key);
  if (f.sequence) w.u32(*f.sequence);
  if (f.routing) w.u16(0x0800).u8(0).u8(4).zeros(4).u32(0);
  return {.protocol = 47, .data = w.add(inner.data).bytes};
}

transport pptp(std::uint16_t call, const network& inner) {
  const auto frame = ppp(inner);
  writer w;
  w.u16(0x3081).u16(0x880b).u16(frame.size()).u16(call).u32(1).u32(1).add(frame);
  return {.protocol = 47, .data = w.bytes};
}

transport erspan1(const byte_vector& frame) {
  return gre({}, {.ethertype = 0x88be, .data = frame});
}

transport erspan2(std::uint16_t session, const byte_vector& frame) {
  writer w;
  w.u16(0x1000 | 7).u16(session).u32(0).add(frame);
  return gre({.sequence = 1}, {.ethertype = 0x88be, .data = w.bytes});
}

transport erspan3(std::uint16_t session, const byte_vector& frame, bool subheader) {
  writer w;
  w.u16(0x2000 | 7).u16(session).u32(0).u16(0).u16(subheader ? 1 : 0);
  if (subheader) w.zeros(8);
  return gre({.sequence = 1}, {.ethertype = 0x22eb, .data = w.add(frame).bytes});
}

byte_vector vxlan(std::uint32_t vni, const byte_vector& frame) {
  return writer{}.u32(0x08000000).u32(std::size_t{vni} << 8).add(frame).bytes;
}

byte_vector geneve(std::uint32_t vni, const network& inner, const byte_vector& options) {
  const auto body = padded(options, 4);
  writer w;
  w.u8(body.size() / 4).u8(0).u16(inner.ethertype).u32(std::size_t{vni} << 8);
  return w.add(body).add(inner.data).bytes;
}

byte_vector gtp_u(std::uint32_t teid, const network& inner, bool extended) {
  writer w;
  w.u8(extended ? 0x36 : 0x30).u8(255).u16(inner.data.size() + (extended ? 8 : 0)).u32(teid);
  // Sequence number, N-PDU number, and a PDU session container (3GPP TS 38.415) of four bytes.
  if (extended) w.u16(1).u8(0).u8(0x85).u8(1).u16(0).u8(0);
  return w.add(inner.data).bytes;
}

byte_vector teredo(const network& inner, bool indications) {
  writer w;
  // Authentication without identifier or value, then origin (RFC 4380 5.1.1).
  if (indications) w.u16(1).u16(0).zeros(9).u16(0).zeros(6);
  return w.add(inner.data).bytes;
}

byte_vector ayiya(const ayiya_fields& f, const network& inner) {
  writer w;
  // An integer identity, SHA1, a shared secret.
  w.u8(std::countr_zero(f.identity) << 4 | 1).u8(f.signature / 4 << 4 | 2).u8(0x10 | f.operation);
  w.u8(f.next_header.value_or(static_cast<std::uint8_t>(inner.ethertype == 0x0800 ? 4 : 41)));
  w.u32(1'700'000'000).zeros(f.identity).zeros(f.signature);
  return w.add(inner.data).bytes;
}

// -- link layers ---------------------------------------------------------------------------------

byte_vector ethernet(const network& inner) {
  writer w;
  add_mac_addresses(w);
  return w.u16(inner.ethertype).add(inner.data).bytes;
}

byte_vector ethernet_snap(const network& inner) {
  writer w;
  add_mac_addresses(w);
  w.u16(inner.data.size() + 8).add(raw({0xaa, 0xaa, 3, 0, 0, 0})).u16(inner.ethertype);
  return w.add(inner.data).bytes;
}

byte_vector linux_sll(const network& inner) {
  return writer{}.u16(0).u16(1).u16(6).zeros(8).u16(inner.ethertype).add(inner.data).bytes;
}

byte_vector linux_sll2(const network& inner) {
  writer w;
  w.u16(inner.ethertype).u16(0).u32(2).u16(1).u8(0).u8(6).zeros(8);
  return w.add(inner.data).bytes;
}

byte_vector null_loopback(const network& inner, std::uint32_t family, bool big_endian) {
  return writer{}.u32(big_endian ? family : __builtin_bswap32(family)).add(inner.data).bytes;
}

byte_vector ppp(const network& inner, bool address_and_control, bool compressed) {
  writer w;
  const auto protocol = ppp_protocol(inner);
  if (address_and_control) w.u16(0xff03);
  if (compressed && protocol < ppp_compressed_limit)
    w.u8(protocol);
  else
    w.u16(protocol);
  return w.add(inner.data).bytes;
}

byte_vector cisco_hdlc(const network& inner) {
  return writer{}.u16(0x0f00).u16(inner.ethertype).add(inner.data).bytes;
}

byte_vector nflog(const network& inner) {
  writer w;
  w.u8(inner.ethertype == 0x0800 ? 2 : 10).u8(0).u16(7);
  // Lengths and types are in the capturing host's byte order; values are padded to four bytes.
  const auto attribute = [&](std::size_t type, const byte_vector& value) {
    w.u16(__builtin_bswap16(static_cast<std::uint16_t>(value.size() + 4)));
    w.u16(__builtin_bswap16(static_cast<std::uint16_t>(type))).add(padded(value, 4));
  };
  attribute(10, raw({'p', 'r', 'e', 'f', 'i', 'x', 0}));
  attribute(9, inner.data);
  return w.bytes;
}

// -- blocks --------------------------------------------------------------------------------------

timestamp at(std::chrono::nanoseconds since_start) {
  return timestamp{std::chrono::seconds{1'700'000'000} + since_start};
}

void add_packet(packet_block& block, const byte_vector& bytes, const packet_options& options) {
  const auto used = block.packets.empty()
                        ? 0
                        : std::size_t{block.packets.back().offset} + block.packets.back().captured;
  const auto captured = std::min(options.captured.value_or(bytes.size()), bytes.size());
  const auto storage = block.storage();
  if (storage.size() - used < captured) throw std::length_error{"the block is full"};
  std::copy_n(bytes.begin(), captured, storage.begin() + static_cast<std::ptrdiff_t>(used));
  block.packets.push_back({.time = options.time,
                           .offset = static_cast<std::uint32_t>(used),
                           .captured = static_cast<std::uint32_t>(captured),
                           .wire = static_cast<std::uint32_t>(options.wire.value_or(bytes.size())),
                           .link = options.link});
  block.now = std::max(block.now, options.time);
}

} // namespace weir::test
