// IEEE 802.11 frames: what leads to TCP, what is counted, and several packets in one.
#include <gtest/gtest.h>

#include <weir/tests/net/decode/decoding.hpp>
#include <weir/tests/support/wireless_packets.hpp>

namespace weir::test {
namespace {

struct example {
  const char* what;
  byte_vector bytes;
  link_type link = link_type::ieee802_11;
};

void PrintTo(const example& e, std::ostream* out) { *out << e.what; }

const std::string text = "the payload";
constexpr auto both_ds = std::uint8_t{wlan_flag::to_ds | wlan_flag::from_ds};

network v4(content payload = text) { return ipv4({}, tcp({}, payload)); }
network v6() { return ipv6({}, tcp({}, text)); }

byte_vector with(byte_vector bytes, std::size_t at, int value) {
  bytes.at(at) = static_cast<std::byte>(value);
  return bytes;
}

byte_vector followed_by(byte_vector bytes, std::size_t more) {
  bytes.resize(bytes.size() + more, std::byte{0xee});
  return bytes;
}

std::vector<example> ways() {
  const wlan_fields aligned{.qos = 0, .aligned = true};
  const wlan_fields aligned4{.flags = both_ds, .qos = 0, .aligned = true};
  return {
      {"from an access point", wlan({}, v4())},
      {"to an access point", wlan({.flags = wlan_flag::to_ds}, v6())},
      {"between stations", wlan({.flags = 0}, v4())},
      {"between access points", wlan({.flags = both_ds}, v4())},
      {"with an acknowledgment", wlan({.control = 0x18}, v4())},
      {"qos", wlan({.qos = 5}, v4())},
      {"qos between access points", wlan({.flags = both_ds, .qos = 5}, v6())},
      {"qos with ht control", wlan({.flags = wlan_flag::order, .qos = 0}, v4())},
      {"ordered without qos", wlan({.flags = wlan_flag::order}, v4())},
      {"in a vlan", wlan({}, vlan(7, v4()))},
      {"an aggregate of one", wlan_aggregate({v4()})},
      {"radiotap without flags", radiotap({}, wlan({}, v4())), link_type::ieee802_11_radiotap},
      {"radiotap with flags", radiotap({.flags = 0x10}, wlan({.qos = 0}, v4())),
       link_type::ieee802_11_radiotap},
      {"radiotap with a time", radiotap({.time = true}, wlan({}, v4())),
       link_type::ieee802_11_radiotap},
      {"radiotap that says padded", radiotap({.flags = 0x20}, wlan(aligned, v4())),
       link_type::ieee802_11_radiotap},
      {"radiotap that says padded, with nothing to pad", radiotap({.flags = 0x20}, wlan({}, v4())),
       link_type::ieee802_11_radiotap},
      {"radiotap that says padded, of four addresses",
       radiotap({.flags = 0x20}, wlan(aligned4, v4())), link_type::ieee802_11_radiotap},
      {"radiotap with all that comes before flags",
       radiotap({.flags = 0x20, .time = true, .more_words = 1}, wlan(aligned, v4())),
       link_type::ieee802_11_radiotap},
      {"radiotap with an even number of words more",
       radiotap({.flags = 0x20, .time = true, .more_words = 2}, wlan(aligned, v4())),
       link_type::ieee802_11_radiotap},
      {"prism", prism(wlan({}, v4())), link_type::prism},
      {"avs as prism", avs(wlan({}, v4()), 2), link_type::prism},
      {"avs", avs(wlan({.qos = 0}, v6())), link_type::ieee802_11_avs},
      {"ppi", ppi(link_type::ieee802_11, wlan({}, v4())), link_type::ppi},
      {"ppi, wired", ppi(link_type::ethernet, ethernet(v4())), link_type::ppi},
  };
}

class wireless : public testing::TestWithParam<example> {};

TEST_P(wireless, leads_to_the_segment) {
  const auto& e = GetParam();
  for (const std::size_t checksum : {0u, 4u}) {
    decoding d;
    const auto found = d.decode(followed_by(e.bytes, checksum), {.link = e.link});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(as_text(found[0].payload()), text);
    EXPECT_EQ(found[0].length, text.size());
    EXPECT_EQ(d.counters().tcp, 1u);
  }
}

TEST_P(wireless, that_is_cut_anywhere_leads_nowhere) {
  const auto& e = GetParam();
  for (std::size_t size = 0; size + text.size() < e.bytes.size(); ++size) {
    decoding d;
    EXPECT_TRUE(d.decode(e.bytes, {.link = e.link, .captured = size}).empty()) << size;
    EXPECT_EQ(d.counters().malformed, 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(all, wireless, testing::ValuesIn(ways()));

TEST(wireless_frames, without_a_packet_to_decode_are_counted_by_name) {
  struct counted {
    const char* name;
    byte_vector bytes;
    link_type link = link_type::ieee802_11;
  };
  const auto data = wlan({}, v4());
  const std::vector<counted> all{
      {"802.11 management", with(data, 0, 0x80)},
      {"802.11 control", raw({0xd4, 0, 0, 0, 2, 0, 0, 0, 0, 1})},
      {"802.11 other", with(data, 0, 0x0c)},
      {"802.11 other", with(data, 0, 0x09)},
      {"802.11 null", wlan({.control = 0x48}, v4())},
      {"802.11 null", wlan({.control = 0x48, .qos = 0}, v4())},
      {"802.11 encrypted", wlan({.flags = wlan_flag::is_protected}, v4())},
      {"802.11 fragment", wlan({.flags = wlan_flag::more_fragments}, v4())},
      {"802.11 fragment", wlan({.fragment_number = 1}, v4())},
      {"802.11 damaged", radiotap({.flags = 0x50}, data), link_type::ieee802_11_radiotap},
      {"arp", wlan({}, other_network(0x0806, "request"))},
      {"USB_LINUX", ppi(link_type{189}, raw({1, 2, 3})), link_type::ppi},
  };
  for (const auto& e : all) {
    decoding d;
    EXPECT_TRUE(d.decode(e.bytes, {.link = e.link}).empty()) << e.name;
    const std::map<std::string, std::uint64_t> expected{{e.name, 1}};
    EXPECT_EQ(d.counters().other_protocols, expected);
  }
}

TEST(capture_headers, that_contradict_themselves_are_malformed) {
  const auto frame = wlan({}, v4());
  const auto tap = radiotap({.flags = 0}, frame);
  const std::vector<example> all{
      {"radiotap of another version", with(tap, 0, 1), link_type::ieee802_11_radiotap},
      {"radiotap without room for itself", with(tap, 2, 7), link_type::ieee802_11_radiotap},
      {"radiotap without room for flags", with(tap, 2, 8), link_type::ieee802_11_radiotap},
      {"radiotap with endless words", with(radiotap({}, followed_by({}, 5000)), 7, 0x80),
       link_type::ieee802_11_radiotap},
      {"radiotap longer than the packet", with(tap, 3, 1), link_type::ieee802_11_radiotap},
      {"avs without room for itself", with(avs(frame), 7, 7), link_type::ieee802_11_avs},
      {"avs longer than the packet", with(avs(frame), 4, 0xff), link_type::ieee802_11_avs},
      {"ppi of another version", with(ppi(link_type::ieee802_11, frame), 0, 1), link_type::ppi},
      {"ppi without room for itself", with(ppi(link_type::ieee802_11, frame), 2, 7),
       link_type::ppi},
      {"ppi of no link type", with(ppi(link_type::ieee802_11, frame), 7, 1), link_type::ppi},
  };
  for (const auto& e : all) {
    decoding d;
    EXPECT_TRUE(d.decode(e.bytes, {.link = e.link}).empty()) << e.what;
    EXPECT_EQ(d.counters().malformed, 1u) << e.what;
  }
}

// -- several packets in one ----------------------------------------------------------------------

const packet_options link{.link = link_type::ieee802_11};

std::vector<std::string> payloads(const std::vector<segment>& segments) {
  std::vector<std::string> all;
  for (const auto& s : segments)
    all.emplace_back(as_text(s.payload()));
  return all;
}

using strings = std::vector<std::string>;

TEST(aggregates, yield_every_packet_in_order_and_count_once) {
  // Payloads of all lengths modulo four, so that padding differs.
  const auto frame = wlan_aggregate({v4("a"), v4("bb"), v4("ccc"), v6(), v4("dddd"), v4("e")});
  for (const std::size_t checksum : {0u, 4u}) {
    decoding d;
    const auto found = d.decode(followed_by(frame, checksum), link);
    EXPECT_EQ(payloads(found), (strings{"a", "bb", "ccc", text, "dddd", "e"}));
    EXPECT_EQ(d.counters().tcp, 1u);
    EXPECT_EQ(outcomes(d.counters()), 1u);
  }
}

TEST(aggregates, are_tcp_where_any_packet_is) {
  const auto arp = other_network(0x0806, "request");
  const auto query = ipv4({}, udp({}, "query"));
  const auto broken = ipv4({.header_words = 3}, tcp({}, "x"));
  for (const auto& packets : {std::vector{arp, v4("a"), broken}, {broken, v4("a"), query}}) {
    decoding d;
    EXPECT_EQ(payloads(d.decode(wlan_aggregate(packets), link)), strings{"a"});
    EXPECT_EQ(d.counters().tcp, 1u);
    EXPECT_EQ(outcomes(d.counters()), 1u);
    EXPECT_TRUE(d.counters().other_protocols.empty());
  }
  decoding d;
  EXPECT_TRUE(d.decode(wlan_aggregate({query, broken}), link).empty());
  EXPECT_EQ(d.counters().other_protocols.at("udp"), 1u);
  EXPECT_EQ(outcomes(d.counters()), 1u);
}

TEST(aggregates, that_are_cut_yield_what_is_there) {
  // Without a length of its own, the second packet has only the aggregate's.
  const auto endless = ipv4({.total_length = 0}, tcp({}, "bbbb"));
  const auto frame = wlan_aggregate({v4("aaaa"), endless});
  const auto second = wlan_aggregate({v4("aaaa")}).size();
  decoding d;
  for (std::size_t size = second; size < frame.size(); ++size) {
    const auto found = d.decode(frame, {.link = link_type::ieee802_11, .captured = size});
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(as_text(found[0].payload()), "aaaa");
    EXPECT_EQ(found[0].length, 4u);
    for (const auto& s : std::span{found}.subspan(1)) {
      EXPECT_EQ(s.length, 4u);
      EXPECT_EQ(s.captured, 4u - (frame.size() - size));
    }
  }
}

TEST(aggregates, with_a_checksum_of_their_own_are_not_malformed_for_it) {
  auto frame = wlan_aggregate({v4("a")});
  frame.back() = std::byte{'b'};
  decoding d{{.verify_checksums = true}};
  EXPECT_TRUE(d.decode(followed_by(frame, 4), link).empty());
  EXPECT_EQ(d.counters().bad_checksum, 1u);
}

TEST(aggregates, with_a_packet_that_claims_more_than_there_is_end_with_it) {
  auto frame = wlan_aggregate({v4("a"), v4("b")});
  constexpr std::size_t length_at = 26 + 12;
  frame = with(frame, length_at, 0x7f);
  decoding d;
  EXPECT_EQ(payloads(d.decode(frame, link)), strings{"a"});
}

TEST(aggregates, give_each_packet_its_own_wrapping) {
  decoding d;
  const auto found = d.decode(
      wlan_aggregate({vlan(7, v4("a")), v4("b"), ipv4({}, gre({.key = 9}, v4("c"))), v4("d")}),
      link);
  ASSERT_EQ(payloads(found), (strings{"a", "b", "c", "d"}));
  EXPECT_EQ(d.wrapped(found[0]).at(0).id, 7u);
  EXPECT_TRUE(d.wrapped(found[1]).empty());
  EXPECT_EQ(d.wrapped(found[2]).at(0).id, 9u);
  EXPECT_TRUE(d.wrapped(found[3]).empty());
  EXPECT_NE(found[0].key.context, 0u);
  EXPECT_EQ(found[1].key.context, 0u);
  EXPECT_EQ(found[3].key.context, 0u);
}

/// An aggregate that an access point sends through its tunnel.
network tunnelled(const byte_vector& frame, std::uint16_t type = 0x8240) {
  return ipv4({.source = "10.0.0.1", .destination = "10.0.0.2"},
              gre({}, other_network(type, frame)));
}

TEST(aggregates, nest) {
  const auto inner = wlan_aggregate({v4("b"), v4("c")});
  const auto middle = wlan_aggregate({v4("a"), tunnelled(inner), v4("d")});
  const auto outer = wlan_aggregate({tunnelled(middle), v4("e")});
  decoding d;
  const auto found = d.decode(outer, link);
  ASSERT_EQ(payloads(found), (strings{"a", "b", "c", "d", "e"}));
  const std::vector<std::size_t> depths{1, 2, 2, 1, 0};
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(d.wrapped(found[i]).size(), depths[i]);
  EXPECT_EQ(outcomes(d.counters()), 1u);
}

TEST(aggregates, have_a_limit_of_layers_for_each_packet) {
  auto deep = v4("deep");
  for (int i = 0; i < 10; ++i)
    deep = vlan(7, deep);
  std::vector<network> packets;
  for (int i = 0; i < 100; ++i)
    packets.push_back(v4("x"));
  packets.push_back(deep);
  packets.push_back(v4("last"));
  // The frame, the aggregate's header, LLC, IP and TCP.
  decoding d{{.max_layers = 5}};
  const auto found = payloads(d.decode(wlan_aggregate(packets), link));
  ASSERT_EQ(found.size(), 101u);
  EXPECT_EQ(found.back(), "last");
}

TEST(aggregates, reassemble_fragments) {
  const auto parts = ipv4_fragments({}, tcp({}, "a payload in fragments"), 24);
  ASSERT_EQ(parts.size(), 2u);
  decoding d;
  EXPECT_EQ(payloads(d.decode(wlan_aggregate({parts[0], v4("a"), parts[1]}), link)),
            (strings{"a", "a payload in fragments"}));
}

// -- tunnels of access points --------------------------------------------------------------------

TEST(aruba_tunnels, carry_wireless_frames) {
  for (const auto type :
       std::initializer_list<std::uint16_t>{0x8200, 0x8210, 0x82f0, 0x8300, 0x8370, 0x9000}) {
    decoding d;
    const auto found = d.decode(ethernet(tunnelled(wlan({.qos = 0}, v4()), type)));
    ASSERT_EQ(payloads(found), strings{text}) << type;
    const auto wrapped = d.wrapped(found[0]);
    ASSERT_EQ(wrapped.size(), 1u);
    EXPECT_EQ(wrapped[0].type, encapsulation_layer::kind::gre);
  }
}

TEST(aruba_tunnels, have_types_of_their_own) {
  for (const auto type : std::initializer_list<std::uint16_t>{0x81f0, 0x8201, 0x8380, 0x9010}) {
    decoding d;
    EXPECT_TRUE(d.decode(ethernet(tunnelled(wlan({}, v4()), type))).empty()) << type;
    EXPECT_EQ(d.counters().not_tcp, 1u);
  }
}

TEST(aruba_tunnels, may_carry_encrypted_frames) {
  decoding d;
  const auto frame = wlan({.flags = wlan_flag::is_protected, .qos = 0}, v4());
  EXPECT_TRUE(d.decode(ethernet(tunnelled(frame, 0x8300))).empty());
  EXPECT_EQ(d.counters().other_protocols.at("802.11 encrypted"), 1u);
}

} // namespace
} // namespace weir::test
