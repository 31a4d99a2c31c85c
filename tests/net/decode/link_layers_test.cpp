// The ways from a capture's link type to a TCP segment.
#include <gtest/gtest.h>

#include <weir/tests/net/decode/decoding.hpp>

namespace weir::test {
namespace {

using kind = encapsulation_layer::kind;

struct example {
  const char* what;
  byte_vector bytes;
  link_type link = link_type::ethernet;
  std::vector<std::pair<kind, std::uint32_t>> layers = {};
};

void PrintTo(const example& e, std::ostream* out) { *out << e.what; }

const std::string text = "the payload";

network v4() { return ipv4({}, tcp({}, text)); }
network v6() { return ipv6({}, tcp({}, text)); }

byte_vector fddi(const network& inner, std::uint8_t frame_control) {
  // The same as 802.3 but for the frame control in front and no length.
  auto frame = ethernet_snap(inner);
  frame.erase(frame.begin() + 12, frame.begin() + 14);
  frame.insert(frame.begin(), std::byte{frame_control});
  return frame;
}

/// The byte order of an NFLOG capture made on the other kind of machine.
byte_vector nflog_big_endian(const network& inner) {
  auto bytes = raw({2, 0, 0, 7, 0, 5, 0, 10, 'x', 0, 0, 0, 0, 0, 0, 9});
  bytes[13] = static_cast<std::byte>(inner.data.size() + 4);
  bytes.insert(bytes.end(), inner.data.begin(), inner.data.end());
  return bytes;
}

/// What follows the addresses of an 802.3 frame, its length in the ethertype's place.
network snap(const network& inner) {
  const auto frame = ethernet_snap(inner);
  return {.ethertype = load_be16(&frame[12]), .data = {frame.begin() + 14, frame.end()}};
}

byte_vector llc_ip(const network& inner) {
  auto frame = ethernet_snap(inner);
  const auto header = raw({6, 6, 3});
  std::copy(header.begin(), header.end(), frame.begin() + 14);
  frame.erase(frame.begin() + 17, frame.begin() + 22);
  return frame;
}

std::vector<example> ways() {
  std::vector<example> all{
      {"ethernet", ethernet(v4())},
      {"ethernet, ipv6", ethernet(v6())},
      {"802.3 with snap", ethernet_snap(v4())},
      {"802.3 with snap, ipv6", ethernet_snap(v6())},
      {"802.3 with ip's own sap", llc_ip(v4())},
      {"vlan", ethernet(vlan(7, v4())), link_type::ethernet, {{kind::vlan, 7}}},
      {"priority tag", ethernet(vlan(0, v4()))},
      {"vlan with priority", ethernet(vlan(0xe007, v4())), link_type::ethernet, {{kind::vlan, 7}}},
      {"802.1ad",
       ethernet(vlan(100, vlan(7, v6()), 0x88a8)),
       link_type::ethernet,
       {{kind::vlan, 100}, {kind::vlan, 7}}},
      {"qinq before 802.1ad",
       ethernet(vlan(100, vlan(7, v4()), 0x9100)),
       link_type::ethernet,
       {{kind::vlan, 100}, {kind::vlan, 7}}},
      {"vlan with 802.3 in it",
       ethernet(vlan(7, snap(v4()))),
       link_type::ethernet,
       {{kind::vlan, 7}}},
      {"mpls", ethernet(mpls({16}, v4())), link_type::ethernet, {{kind::mpls, 16}}},
      {"mpls stack in a vlan",
       ethernet(vlan(7, mpls({16, 17, 1048575}, v6()))),
       link_type::ethernet,
       {{kind::vlan, 7}, {kind::mpls, 16}, {kind::mpls, 17}, {kind::mpls, 1048575}}},
      {"pseudowire with a control word",
       ethernet(mpls_pseudowire({16}, ethernet(v4()), true)),
       link_type::ethernet,
       {{kind::mpls, 16}}},
      {"pseudowire without one",
       ethernet(mpls_pseudowire({16}, ethernet(vlan(7, v4())), false)),
       link_type::ethernet,
       {{kind::mpls, 16}, {kind::vlan, 7}}},
      {"pppoe", ethernet(pppoe(9, v4())), link_type::ethernet, {{kind::pppoe, 9}}},
      {"pppoe, ipv6", ethernet(pppoe(9, v6())), link_type::ethernet, {{kind::pppoe, 9}}},
      {"pppoe as link type", pppoe(9, v4()).data, link_type::ppp_ether, {{kind::pppoe, 9}}},
      {"raw 12", v4().data, link_type::raw_12},
      {"raw 14", v6().data, link_type::raw_14},
      {"raw", v4().data, link_type::raw},
      {"raw, ipv6", v6().data, link_type::raw},
      {"ipv4", v4().data, link_type::ipv4},
      {"ipv6", v6().data, link_type::ipv6},
      {"null, little-endian", null_loopback(v4(), 2, false), link_type::null},
      {"null, big-endian", null_loopback(v4(), 2, true), link_type::null},
      {"loop", null_loopback(v4(), 2, true), link_type::loop},
      {"loop, ipv6", null_loopback(v6(), 24, true), link_type::loop},
      {"linux sll", linux_sll(v4()), link_type::linux_sll},
      {"linux sll with a vlan", linux_sll(vlan(7, v6())), link_type::linux_sll, {{kind::vlan, 7}}},
      {"linux sll2", linux_sll2(v4()), link_type::linux_sll2},
      {"ppp", ppp(v4()), link_type::ppp},
      {"ppp without address and control", ppp(v6(), false), link_type::ppp},
      {"ppp with a compressed protocol", ppp(v4(), true, true), link_type::ppp},
      {"ppp with all compressed", ppp(v6(), false, true), link_type::ppp},
      {"ppp with mpls", ppp(mpls({16}, v4())), link_type::ppp, {{kind::mpls, 16}}},
      {"ppp in hdlc", ppp(v4()), link_type::ppp_serial},
      {"cisco hdlc as ppp", cisco_hdlc(v4()), link_type::ppp_serial},
      {"cisco hdlc", cisco_hdlc(v6()), link_type::cisco_hdlc},
      {"fddi", fddi(v4(), 0x50), link_type::fddi},
      {"nflog", nflog(v4()), link_type::nflog},
      {"nflog, ipv6", nflog(v6()), link_type::nflog},
      {"nflog, big-endian", nflog_big_endian(v4()), link_type::nflog},
  };
  for (const std::uint32_t family : {10u, 23u, 24u, 28u, 30u})
    for (const bool big_endian : {false, true})
      all.push_back({"null, ipv6", null_loopback(v6(), family, big_endian), link_type::null});
  return all;
}

class link_layers : public testing::TestWithParam<example> {};

TEST_P(link_layers, lead_to_the_segment) {
  const auto& e = GetParam();
  decoding d;
  const auto found = d.decode(e.bytes, {.link = e.link});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(as_text(found[0].payload()), text);
  EXPECT_EQ(found[0].length, text.size());
  EXPECT_EQ(d.counters().tcp, 1u);
  std::vector<std::pair<kind, std::uint32_t>> layers;
  for (const auto& layer : d.wrapped(found[0]))
    layers.emplace_back(layer.type, layer.id);
  EXPECT_EQ(layers, e.layers);
}

TEST_P(link_layers, that_are_cut_anywhere_lead_nowhere) {
  const auto& e = GetParam();
  for (std::size_t size = 0; size + text.size() < e.bytes.size(); ++size) {
    decoding d;
    // The bytes of the payload are at the end, but for NFLOG's padding.
    if (e.link == link_type::nflog && size + text.size() + 3 >= e.bytes.size()) break;
    EXPECT_TRUE(d.decode(e.bytes, {.link = e.link, .captured = size}).empty()) << size;
    EXPECT_EQ(d.counters().tcp, 0u);
    EXPECT_EQ(outcomes(d.counters()), 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(all, link_layers, testing::ValuesIn(ways()));

TEST(link_lengths, keep_padding_out_where_ip_has_no_length_of_its_own) {
  const auto endless = ipv4({.total_length = 0}, tcp({}, text));
  for (auto frame : {ethernet(pppoe(9, endless)), ethernet_snap(endless)}) {
    frame.resize(frame.size() + 20, std::byte{0xee});
    decoding d;
    for (const std::size_t cut : {0u, 5u}) { // the cut is in the padding
      const auto found = d.decode(frame, {.captured = frame.size() - cut});
      ASSERT_EQ(found.size(), 1u);
      EXPECT_EQ(as_text(found[0].payload()), text);
      EXPECT_EQ(found[0].length, text.size());
    }
  }
}

TEST(other_protocols, are_counted_by_name) {
  struct counted {
    const char* name;
    byte_vector bytes;
    link_type link = link_type::ethernet;
  };
  auto discovery = pppoe(9, v4());
  discovery.data[1] = std::byte{9};
  const std::vector<counted> all{
      {"arp", ethernet(other_network(0x0806, "request"))},
      {"ethertype 0x88cc", ethernet(other_network(0x88cc, "neighbour"))},
      {"ethertype 0x88e7", ethernet(other_network(0x88e7, "mac in mac"))},
      {"pppoe discovery", ethernet(other_network(0x8863, "padi"))},
      {"ethertype 0x8864", ethernet(discovery)},
      {"stp", ethernet(other_network(7, raw({0x42, 0x42, 3, 0, 0, 0, 0})))},
      {"llc 0xfe", ethernet(other_network(7, raw({0xfe, 0xfe, 3, 0, 0, 0, 0})))},
      {"snap 0x2000", ethernet(other_network(8, raw({0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0})))},
      {"mpls", ethernet(mpls({16}, other_network(0, raw({0x10, 0, 0, 0x07}))))},
      {"ppp protocol 0xc021", ethernet(pppoe(9, other_network(0, "lcp")))},
      {"udp", ethernet(ipv4({}, udp({}, "query")))},
      {"icmp", ethernet(ipv4({}, other_transport(1, "echo")))},
      {"icmpv6", ethernet(ipv6({}, hop_by_hop(other_transport(58, "echo"))))},
      {"esp", ethernet(ipv6({}, other_transport(50, "secret")))},
      {"sctp", ethernet(ipv4({}, other_transport(132, "chunk")))},
      {"ip protocol 253", ethernet(ipv4({}, other_transport(253, "test")))},
      // IPv6's extension headers mean nothing in IPv4.
      {"ip protocol 60", ethernet(ipv4({}, destination_options(tcp({}))))},
      {"address family 7", null_loopback(v4(), 7, false), link_type::null},
      {"link type 147", raw({1, 2, 3}), link_type{147}},
      {"USB_LINUX", raw({1, 2, 3}), link_type{189}},
  };
  for (const auto& e : all) {
    decoding d;
    EXPECT_TRUE(d.decode(e.bytes, {.link = e.link}).empty()) << e.name;
    const std::map<std::string, std::uint64_t> expected{{e.name, 1}};
    EXPECT_EQ(d.counters().other_protocols, expected);
    EXPECT_EQ(d.counters().not_tcp + d.counters().unknown_link, 1u) << e.name;
  }
}

TEST(other_protocols, include_icmp_errors_that_quote_tcp) {
  decoding d;
  auto error = raw({3, 1, 0, 0, 0, 0, 0, 0});
  const auto quoted = v4().data;
  error.insert(error.end(), quoted.begin(), quoted.end());
  EXPECT_TRUE(d.decode(ethernet(ipv4({}, other_transport(1, error)))).empty());
  EXPECT_EQ(d.counters().other_protocols.at("icmp"), 1u);
}

TEST(other_protocols, have_a_bounded_number_of_names) {
  decoding d;
  constexpr std::uint16_t types = 2000;
  for (int round = 0; round < 2; ++round)
    for (std::uint16_t type = 0; type < types; ++type)
      d.decode(ethernet(other_network(static_cast<std::uint16_t>(0x9200 + type), "x")));
  const auto names = d.counters().other_protocols;
  EXPECT_LE(names.size(), 100u);
  std::uint64_t sum = 0;
  for (const auto& [name, count] : names)
    sum += count;
  EXPECT_EQ(sum, 2u * types);
  EXPECT_GT(names.at("other"), 0u);
}

TEST(layers, beyond_the_limit_are_given_up) {
  auto inner = v4();
  for (int i = 0; i < 10; ++i)
    inner = vlan(7, inner);
  // Ethernet, ten tags, IP, TCP.
  decoding enough{{.max_layers = 13}};
  EXPECT_EQ(enough.decode(ethernet(inner)).size(), 1u);
  decoding too_few{{.max_layers = 12}};
  EXPECT_TRUE(too_few.decode(ethernet(inner)).empty());
  EXPECT_EQ(too_few.counters().malformed, 1u);
}

} // namespace
} // namespace weir::test
