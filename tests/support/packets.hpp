/// Packets for tests, built by nesting from the inside out, with right lengths and checksums:
///
///     auto frame = ethernet(vlan(7, ipv4({}, tcp({.flags = tcp_flag::syn}))));
///     auto tunnelled = ethernet(ipv4({}, udp({.destination = 4789}, vxlan(42, frame))));
///
/// Three types keep the nesting honest: a `transport` goes into IP, a `network` (something with an
/// ethertype) goes into a link layer or a tunnel, and finished bytes go into a block.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/net/address.hpp>
#include <weir/net/bytes.hpp>
#include <weir/net/link_type.hpp>
#include <weir/net/packet_block.hpp>
#include <weir/net/segment.hpp>

namespace weir::test {

using byte_vector = std::vector<std::byte>;

/// Payload given as text or as bytes.
class content {
public:
  content() = default;
  content(const char* text) : view_(as_bytes(text)) {}
  content(std::string_view text) : view_(as_bytes(text)) {}
  content(const std::string& text) : view_(as_bytes(text)) {}
  content(const byte_vector& bytes) : view_(bytes) {}
  content(bytes_view bytes) : view_(bytes) {}

  bytes_view view() const { return view_; }

private:
  bytes_view view_;
};

/// Bytes from numbers: `raw({0xff, 0x03})`.
byte_vector raw(std::initializer_list<int> values);

/// From the text of an address; throws std::invalid_argument.
ip_address address(std::string_view text);

// -- what goes into IP ---------------------------------------------------------------------------

struct transport {
  std::uint8_t protocol = 0;
  byte_vector data;
  /// Where a TCP or UDP checksum goes once the addresses are known, if anywhere, and the first byte
  /// that it covers (extension headers come before that).
  std::optional<std::size_t> checksum_at = {};
  std::size_t checksum_from = 0;
  std::uint8_t checksum_protocol = 0;
  /// Ends that the pseudo header takes instead of the IP header's (RFC 8200 8.1, RFC 6275 11.3.1).
  std::optional<ip_address> checksum_source = {};
  std::optional<ip_address> checksum_destination = {};
};

struct tcp_fields {
  std::uint16_t source = 49152;
  std::uint16_t destination = 80;
  std::uint32_t sequence = 1000;
  std::uint32_t acknowledgment = 2000;
  std::uint8_t flags = tcp_flag::ack;
  std::uint16_t window = 65535;
  /// Padded to a multiple of four.
  byte_vector options = {};
  /// In words; computed where it is not given.
  std::optional<std::uint8_t> data_offset = {};
};

transport tcp(const tcp_fields& fields, content payload = {});

struct udp_fields {
  std::uint16_t source = 40000;
  std::uint16_t destination = 53;
  std::optional<std::uint16_t> length = {};
};

transport udp(const udp_fields& fields, content payload = {});

/// Any other protocol's bytes.
transport other_transport(std::uint8_t protocol, content payload);

/// IPv6 extension headers (RFC 8200 4). Options are padded to a multiple of eight.
transport hop_by_hop(const transport& inner, const byte_vector& options = {});
transport destination_options(const transport& inner, const byte_vector& options = {});
/// A destination option with the sender's home address (RFC 6275 6.3).
transport home_address(std::string_view home, const transport& inner);
/// The final destination is the last of `addresses` where `segments_left` is not zero.
transport routing_type0(std::uint8_t segments_left,
                        std::initializer_list<std::string_view> addresses, const transport& inner);
transport mobility(const transport& inner);
/// An IPv6 fragment header in front of `part`; the offset in bytes.
transport fragment_header(std::uint32_t id, std::size_t offset, bool more, std::uint8_t protocol,
                          content part);
/// Both IP versions; with a check value of 12 bytes (RFC 4302).
transport authentication_header(const transport& inner);

// -- what has an ethertype -----------------------------------------------------------------------

struct network {
  std::uint16_t ethertype = 0;
  byte_vector data;
};

struct ipv4_fields {
  std::string_view source = "192.0.2.1";
  std::string_view destination = "198.51.100.7";
  std::uint16_t id = 1;
  byte_vector options = {};
  std::size_t fragment_offset = 0;
  bool more_fragments = false;
  std::optional<std::uint16_t> total_length = {};
  std::optional<std::uint8_t> header_words = {};
};

network ipv4(const ipv4_fields& fields, const transport& inner);

/// The datagram cut into fragments with at most `size` bytes of payload (a multiple of eight) each.
std::vector<network> ipv4_fragments(const ipv4_fields& fields, const transport& inner,
                                    std::size_t size);

struct ipv6_fields {
  std::string_view source = "2001:db8::1";
  std::string_view destination = "2001:db8::7";
  std::optional<std::uint16_t> payload_length = {};
};

network ipv6(const ipv6_fields& fields, const transport& inner);

std::vector<network> ipv6_fragments(const ipv6_fields& fields, std::uint32_t id,
                                    const transport& inner, std::size_t size);

network other_network(std::uint16_t ethertype, content payload);
network vlan(std::uint16_t id, const network& inner, std::uint16_t tag_protocol = 0x8100);
network mpls(std::initializer_list<std::uint32_t> labels, const network& inner);
/// An Ethernet frame under MPLS labels (RFC 4448).
network mpls_pseudowire(std::initializer_list<std::uint32_t> labels, const byte_vector& frame,
                        bool control_word);
network pppoe(std::uint16_t session, const network& inner);
/// A whole Ethernet frame as the payload of GRE (0x6558).
network bridged(const byte_vector& frame);

// -- tunnels -------------------------------------------------------------------------------------

struct gre_fields {
  bool checksum = false;
  std::optional<std::uint32_t> key = {};
  std::optional<std::uint32_t> sequence = {};
  /// With one source route entry (RFC 1701).
  bool routing = false;
};

transport ip_in_ip(const network& inner);
transport gre(const gre_fields& fields, const network& inner);
/// Version 1 with PPP inside (RFC 2637).
transport pptp(std::uint16_t call, const network& inner);
transport erspan1(const byte_vector& frame);
transport erspan2(std::uint16_t session, const byte_vector& frame);
transport erspan3(std::uint16_t session, const byte_vector& frame, bool subheader = false);

/// Payloads of UDP.
byte_vector vxlan(std::uint32_t vni, const byte_vector& frame);
byte_vector geneve(std::uint32_t vni, const network& inner, const byte_vector& options = {});
/// `extended` adds the optional fields and an extension header.
byte_vector gtp_u(std::uint32_t teid, const network& inner, bool extended = false);
byte_vector teredo(const network& inner, bool indications = false);
struct ayiya_fields {
  /// Bytes of it: a power of two.
  std::size_t identity = 16;
  /// Bytes of it: a multiple of four.
  std::size_t signature = 20;
  std::uint8_t operation = 1;
  std::optional<std::uint8_t> next_header = {};
};

byte_vector ayiya(const ayiya_fields& fields, const network& inner);

// -- link layers ---------------------------------------------------------------------------------

byte_vector ethernet(const network& inner);
/// 802.3 with LLC and SNAP.
byte_vector ethernet_snap(const network& inner);
byte_vector linux_sll(const network& inner);
byte_vector linux_sll2(const network& inner);
/// NULL (`big_endian` as the capturing host was) and LOOP (always big-endian).
byte_vector null_loopback(const network& inner, std::uint32_t family, bool big_endian);
byte_vector ppp(const network& inner, bool address_and_control = true, bool compressed = false);
byte_vector cisco_hdlc(const network& inner);
byte_vector nflog(const network& inner);

// -- blocks --------------------------------------------------------------------------------------

/// A time within the tests' day.
timestamp at(std::chrono::nanoseconds since_start);

struct packet_options {
  link_type link = link_type::ethernet;
  timestamp time = at(std::chrono::seconds{0});
  /// Bytes captured, where a snapshot length cut the packet.
  std::optional<std::size_t> captured = {};
  /// Bytes on the wire, where that is not the size of the bytes given.
  std::optional<std::size_t> wire = {};
};

/// Appends a packet; throws std::length_error where the block's storage is full.
void add_packet(packet_block& block, const byte_vector& bytes, const packet_options& options = {});

} // namespace weir::test
