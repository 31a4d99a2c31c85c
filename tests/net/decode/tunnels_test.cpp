// Packets in packets, and what keeps equal addresses of different networks apart.
#include <gtest/gtest.h>

#include <weir/tests/net/decode/decoding.hpp>

namespace weir::test {
namespace {

using kind = encapsulation_layer::kind;

struct example {
  const char* what;
  byte_vector bytes;
  std::vector<std::pair<kind, std::uint32_t>> layers = {};
};

void PrintTo(const example& e, std::ostream* out) { *out << e.what; }

const std::string text = "the payload";
const ipv4_fields outer{.source = "10.0.0.1", .destination = "10.0.0.2"};
const ipv6_fields outer6{.source = "fd00::1", .destination = "fd00::2"};

network v4() { return ipv4({}, tcp({}, text)); }
network v6() { return ipv6({}, tcp({}, text)); }
byte_vector over_udp(std::uint16_t port, const byte_vector& payload) {
  return ethernet(ipv4(outer, udp({.destination = port}, payload)));
}
byte_vector from_udp(std::uint16_t port, const byte_vector& payload) {
  return ethernet(ipv4(outer, udp({.source = port}, payload)));
}

std::vector<example> tunnels() {
  return {
      {"ipip", ethernet(ipv4(outer, ip_in_ip(v4()))), {{kind::ip_in_ip, 0}}},
      {"6in4", ethernet(ipv4(outer, ip_in_ip(v6()))), {{kind::ip_in_ip, 0}}},
      {"4in6", ethernet(ipv6(outer6, ip_in_ip(v4()))), {{kind::ip_in_ip, 0}}},
      {"6in6 behind options",
       ethernet(ipv6(outer6, destination_options(ip_in_ip(v6())))),
       {{kind::ip_in_ip, 0}}},
      {"ah in ipv4", ethernet(ipv4({}, authentication_header(tcp({}, text))))},
      {"ah in ipv6", ethernet(ipv6({}, authentication_header(tcp({}, text))))},
      {"ah tunnel",
       ethernet(ipv4(outer, authentication_header(ip_in_ip(v4())))),
       {{kind::ip_in_ip, 0}}},
      {"all ipv6 headers",
       ethernet(
           ipv6({}, hop_by_hop(destination_options(routing_type0(
                        0, {"2001:db8::8"}, authentication_header(mobility(tcp({}, text))))))))},
      {"atomic fragment", ethernet(ipv6({}, fragment_header(5, 0, false, 6, tcp({}, text).data)))},
      {"gre", ethernet(ipv4(outer, gre({}, v4()))), {{kind::gre, 0}}},
      {"gre with everything",
       ethernet(
           ipv6(outer6, gre({.checksum = true, .key = 77, .sequence = 5, .routing = true}, v6()))),
       {{kind::gre, 77}}},
      {"gre with a checksum",
       ethernet(ipv4(outer, gre({.checksum = true}, v4()))),
       {{kind::gre, 0}}},
      {"gre with a key", ethernet(ipv4(outer, gre({.key = 9}, v4()))), {{kind::gre, 9}}},
      {"gre with a sequence", ethernet(ipv4(outer, gre({.sequence = 1}, v4()))), {{kind::gre, 0}}},
      {"gre with ethernet",
       ethernet(ipv4(outer, gre({}, bridged(ethernet(vlan(7, v4())))))),
       {{kind::gre, 0}, {kind::vlan, 7}}},
      {"gre with mpls",
       ethernet(ipv4(outer, gre({}, mpls({16}, v4())))),
       {{kind::gre, 0}, {kind::mpls, 16}}},
      {"gre with a vlan tag",
       ethernet(ipv4(outer, gre({}, vlan(7, v4())))),
       {{kind::gre, 0}, {kind::vlan, 7}}},
      {"pptp", ethernet(ipv4(outer, pptp(33, v4()))), {{kind::gre, 33}}},
      {"erspan i", ethernet(ipv4(outer, erspan1(ethernet(v4())))), {{kind::erspan, 0}}},
      {"erspan ii", ethernet(ipv4(outer, erspan2(1023, ethernet(v6())))), {{kind::erspan, 1023}}},
      {"erspan iii", ethernet(ipv4(outer, erspan3(5, ethernet(v4())))), {{kind::erspan, 5}}},
      {"erspan iii with a subheader",
       ethernet(ipv4(outer, erspan3(5, ethernet(v4()), true))),
       {{kind::erspan, 5}}},
      {"gre in udp", over_udp(4754, gre({.key = 9}, v4()).data), {{kind::gre, 9}}},
      {"mpls in udp",
       over_udp(6635, mpls({16, 17}, v4()).data),
       {{kind::mpls, 16}, {kind::mpls, 17}}},
      {"mpls in ip",
       ethernet(ipv4(outer, other_transport(137, mpls({16}, v4()).data))),
       {{kind::mpls, 16}}},
      {"vxlan", over_udp(4789, vxlan(42, ethernet(v4()))), {{kind::vxlan, 42}}},
      {"vxlan on linux's port",
       over_udp(8472, vxlan(0xffffff, ethernet(v6()))),
       {{kind::vxlan, 0xffffff}}},
      {"vxlan with a vlan",
       over_udp(4789, vxlan(42, ethernet(vlan(7, v4())))),
       {{kind::vxlan, 42}, {kind::vlan, 7}}},
      {"geneve with ethernet",
       over_udp(6081, geneve(42, bridged(ethernet(v4())))),
       {{kind::geneve, 42}}},
      {"geneve with ip and options",
       over_udp(6081, geneve(42, v6(), raw({1, 2, 3, 1, 0, 0, 0, 0}))),
       {{kind::geneve, 42}}},
      {"gtp-u", over_udp(2152, gtp_u(0xdeadbeef, v4())), {{kind::gtp_u, 0xdeadbeef}}},
      {"gtp-u from its port", from_udp(2152, gtp_u(7, v6())), {{kind::gtp_u, 7}}},
      {"gtp-u with an extension header", over_udp(2152, gtp_u(7, v4(), true)), {{kind::gtp_u, 7}}},
      {"teredo", over_udp(3544, teredo(v6())), {{kind::teredo, 0}}},
      {"teredo from its port", from_udp(3544, teredo(v6(), true)), {{kind::teredo, 0}}},
      {"ayiya", over_udp(5072, ayiya({}, v6())), {{kind::ayiya, 0}}},
      {"ayiya from its port", from_udp(5072, ayiya({}, v6())), {{kind::ayiya, 0}}},
      {"ayiya with ipv4", over_udp(5072, ayiya({}, v4())), {{kind::ayiya, 0}}},
      {"ayiya with the least header",
       over_udp(5072, ayiya({.identity = 1, .signature = 0}, v6())),
       {{kind::ayiya, 0}}},
      {"ayiya with the largest header",
       over_udp(5072, ayiya({.identity = 32768, .signature = 60, .operation = 3}, v6())),
       {{kind::ayiya, 0}}},
      {"tunnels in tunnels",
       over_udp(4789, vxlan(42, ethernet(vlan(7, ipv4(outer, gre({.key = 3},
                                                                 ipv6(outer6, ip_in_ip(v4())))))))),
       {{kind::vxlan, 42}, {kind::vlan, 7}, {kind::gre, 3}, {kind::ip_in_ip, 0}}},
  };
}

class tunnel : public testing::TestWithParam<example> {};

TEST_P(tunnel, is_unwrapped_and_listed) {
  const auto& e = GetParam();
  decoding d;
  const auto found = d.decode(e.bytes);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(as_text(found[0].payload()), text);
  EXPECT_EQ(found[0].length, text.size());
  const auto address = to_string(found[0].key.a().address);
  EXPECT_TRUE(address == "192.0.2.1" || address == "2001:db8::1") << address;
  std::vector<std::pair<kind, std::uint32_t>> layers;
  for (const auto& layer : d.wrapped(found[0]))
    layers.emplace_back(layer.type, layer.id);
  EXPECT_EQ(layers, e.layers);
}

TEST_P(tunnel, that_is_cut_anywhere_leads_nowhere) {
  const auto& e = GetParam();
  for (std::size_t size = 0; size + text.size() < e.bytes.size(); ++size) {
    decoding d;
    EXPECT_TRUE(d.decode(e.bytes, {.captured = size}).empty()) << size;
    EXPECT_EQ(outcomes(d.counters()), 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(all, tunnel, testing::ValuesIn(tunnels()));

TEST(tunnels, list_their_ends) {
  decoding d;
  const auto found = d.decode(over_udp(4789, vxlan(42, ethernet(v4()))));
  ASSERT_EQ(found.size(), 1u);
  const auto layers = d.wrapped(found[0]);
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].source, address("10.0.0.1"));
  EXPECT_EQ(layers[0].destination, address("10.0.0.2"));
}

TEST(udp, on_a_tunnels_port_that_is_no_tunnel_is_udp) {
  const auto with = [](byte_vector bytes, std::size_t at, int value) {
    bytes.at(at) = static_cast<std::byte>(value);
    return bytes;
  };
  const auto short_inner = ipv6({.payload_length = 2000}, tcp({}, text));
  const std::vector<std::pair<const char*, byte_vector>> all{
      {"vxlan without an identifier", over_udp(4789, with(vxlan(42, ethernet(v4())), 0, 0))},
      {"vxlan with reserved bits", over_udp(4789, with(vxlan(42, ethernet(v4())), 7, 1))},
      {"vxlan from its port", from_udp(4789, vxlan(42, ethernet(v4())))},
      {"short datagram", over_udp(4789, raw({8, 0, 0}))},
      {"geneve of another version", over_udp(6081, with(geneve(42, v4()), 0, 0x40))},
      {"geneve with another payload", over_udp(6081, geneve(42, other_network(0x1234, "x")))},
      {"gtp of another version", over_udp(2152, with(gtp_u(7, v4()), 0, 0x50))},
      {"gtp prime", over_udp(2152, with(gtp_u(7, v4()), 0, 0x20))},
      {"gtp echo", over_udp(2152, with(gtp_u(7, v4()), 1, 1))},
      {"gtp longer than the datagram", over_udp(2152, with(gtp_u(7, v4()), 2, 0x20))},
      {"gtp without ip", over_udp(2152, gtp_u(7, other_network(0, "x")))},
      {"gtp with an empty extension header", over_udp(2152, with(gtp_u(7, v4(), true), 12, 0))},
      {"teredo bubble to nowhere", over_udp(3544, raw({0, 0, 1, 2, 3, 4, 5, 6}))},
      {"teredo longer than the datagram", over_udp(3544, teredo(short_inner))},
      {"teredo with ipv4", over_udp(3544, teredo(v4()))},
      {"ayiya heartbeat", over_udp(5072, ayiya({.operation = 0, .next_header = 59}, {}))},
      {"ayiya of another operation", over_udp(5072, ayiya({.operation = 2}, v6()))},
      {"ayiya of another protocol", over_udp(5072, ayiya({.next_header = 6}, v6()))},
      {"ayiya of another version of ip", over_udp(5072, ayiya({.next_header = 4}, v6()))},
      {"ayiya longer than the datagram", over_udp(5072, ayiya({}, short_inner))},
      {"ayiya without its packet", over_udp(5072, ayiya({}, {.ethertype = 0x86dd, .data = {}}))},
      {"ayiya cut in its header", over_udp(5072, raw({0x41, 0x52, 0x11, 41, 0, 0, 0, 0, 0x60}))},
      {"gre in udp with reserved bits", over_udp(4754, with(gre({}, v4()).data, 1, 8))},
      {"gre in udp with another payload", over_udp(4754, gre({}, other_network(0x1234, "x")).data)},
      {"mpls in udp without a bottom", over_udp(6635, raw({0, 1, 0, 64, 0, 1, 0, 64}))},
      {"mpls in udp without ip", over_udp(6635, mpls({16}, other_network(0, "x")).data)},
  };
  for (const auto& [what, frame] : all) {
    decoding d;
    EXPECT_TRUE(d.decode(frame).empty()) << what;
    const std::map<std::string, std::uint64_t> expected{{"udp", 1}};
    EXPECT_EQ(d.counters().other_protocols, expected) << what;
  }
}

TEST(gre, that_carries_no_packet_is_counted_as_gre) {
  auto version2 = gre({}, v4());
  version2.data[1] = std::byte{2};
  const std::vector<transport> all{
      gre({}, other_network(0, "")), // a keepalive
      version2,
      other_transport(
          47, raw({0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, 0, 1})), // a pptp acknowledgment
      other_transport(47, raw({0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x30, 0, 0, 0, 0, 0, 0, 0})),
  };
  for (const auto& t : all) {
    decoding d;
    EXPECT_TRUE(d.decode(ethernet(ipv4(outer, t))).empty());
    EXPECT_EQ(d.counters().other_protocols.at("gre"), 1u);
  }
}

// -- contexts ------------------------------------------------------------------------------------

std::uint32_t context_of(const byte_vector& frame) {
  decoding d;
  const auto found = d.decode(frame);
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? 0 : found[0].key.context;
}

const ipv4_fields outer_back{.source = "10.0.0.2", .destination = "10.0.0.1"};
const ipv4_fields outer_elsewhere{.source = "10.0.0.1", .destination = "10.0.0.3"};

TEST(contexts, tell_networks_apart) {
  const std::vector<std::pair<byte_vector, byte_vector>> different{
      {ethernet(v4()), ethernet(vlan(7, v4()))},
      {ethernet(vlan(7, v4())), ethernet(vlan(8, v4()))},
      {ethernet(vlan(7, vlan(8, v4()))), ethernet(vlan(8, vlan(7, v4())))},
      {over_udp(4789, vxlan(1, ethernet(v4()))), over_udp(4789, vxlan(2, ethernet(v4())))},
      {over_udp(6081, geneve(1, v4())), over_udp(6081, geneve(2, v4()))},
      {over_udp(4789, vxlan(1, ethernet(v4()))), over_udp(6081, geneve(1, v4()))},
      {ethernet(ipv4(outer, ip_in_ip(v4()))), ethernet(ipv4(outer_elsewhere, ip_in_ip(v4())))},
      {ethernet(ipv4(outer, gre({}, v4()))), ethernet(ipv4(outer_elsewhere, gre({}, v4())))},
      {ethernet(ipv4(outer, udp({.destination = 2152}, gtp_u(1, v4())))),
       ethernet(ipv4(outer_elsewhere, udp({.destination = 2152}, gtp_u(1, v4()))))},
  };
  for (const auto& [one, other] : different)
    EXPECT_NE(context_of(one), context_of(other));
}

TEST(contexts, are_the_same_in_both_directions) {
  const auto both = [](const transport& there, const transport& back) {
    return std::pair{ethernet(ipv4(outer, there)), ethernet(ipv4(outer_back, back))};
  };
  const auto udp_both = [&](std::uint16_t port, const byte_vector& there, const byte_vector& back) {
    return both(udp({.destination = port}, there), udp({.destination = port}, back));
  };
  const auto frame = ethernet(v4());
  const std::vector<std::pair<byte_vector, byte_vector>> same{
      both(ip_in_ip(v4()), ip_in_ip(v4())),
      both(gre({.key = 1}, v4()), gre({.key = 2}, v4())),
      udp_both(4789, vxlan(42, frame), vxlan(42, frame)),
      udp_both(6081, geneve(42, v4()), geneve(42, v4())),
      udp_both(2152, gtp_u(1, v4()), gtp_u(2, v4())),
  };
  for (const auto& [there, back] : same) {
    EXPECT_NE(context_of(there), 0u);
    EXPECT_EQ(context_of(there), context_of(back));
  }
}

TEST(contexts, have_nothing_of_what_differs_by_direction) {
  EXPECT_EQ(context_of(ethernet(v4())), 0u);
  EXPECT_EQ(context_of(ethernet(mpls({16, 17}, v4()))), 0u);
  EXPECT_EQ(context_of(ethernet(pppoe(9, v4()))), 0u);
  EXPECT_EQ(context_of(ethernet(vlan(0, v4()))), 0u);
  EXPECT_EQ(context_of(ethernet(ipv4(outer, erspan2(5, ethernet(v4()))))), 0u);
  EXPECT_EQ(context_of(over_udp(3544, teredo(v6()))), 0u);
  EXPECT_EQ(context_of(over_udp(5072, ayiya({}, v6()))), 0u);
  EXPECT_EQ(context_of(ethernet(vlan(7, mpls({16}, v4())))), context_of(ethernet(vlan(7, v4()))));
}

TEST(encapsulations, that_are_equal_share_an_entry_of_the_block) {
  memory_budget budget{1 << 30};
  decoder d{{}, budget};
  packet_block block{1 << 20};
  for (int round = 0; round < 2; ++round) {
    block.clear();
    for (int i = 0; i < 30; ++i)
      add_packet(block, i % 3 == 0 ? ethernet(v4())
                                   : ethernet(vlan(static_cast<std::uint16_t>(i % 3), v4())));
    d.decode(block);
    const auto& segments = block.shards.at(0).segments;
    ASSERT_EQ(segments.size(), 30u);
    EXPECT_EQ(block.encapsulations.size(), 2u);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      ASSERT_EQ(segments[i].encapsulation == 0, i % 3 == 0);
      if (i % 3 == 0) continue;
      const auto& layers = block.encapsulations.at(segments[i].encapsulation - 1u);
      EXPECT_EQ(layers.at(0).id, i % 3);
    }
  }
}

} // namespace
} // namespace weir::test
