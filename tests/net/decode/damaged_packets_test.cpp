// Whatever the bytes: each packet counts once, and segments stay within the block.
#include <gtest/gtest.h>

#include <random>

#include <weir/tests/net/decode/decoding.hpp>
#include <weir/tests/support/wireless_packets.hpp>

namespace weir::test {
namespace {

std::vector<byte_vector> samples() {
  const auto t = tcp({.options = raw({3, 3, 7})}, "the payload");
  const auto v4 = ipv4({}, t);
  const auto frame = ethernet(vlan(7, v4));
  std::vector<byte_vector> all{
      ethernet(v4),
      ethernet_snap(ipv6({}, hop_by_hop(routing_type0(1, {"2001:db8::8"}, t)))),
      ethernet(mpls({16, 17}, v4)),
      ethernet(mpls_pseudowire({16}, frame, true)),
      ethernet(pppoe(9, v4)),
      ethernet(ipv4({}, gre({.checksum = true, .key = 5, .sequence = 1, .routing = true}, v4))),
      ethernet(ipv4({}, pptp(5, v4))),
      ethernet(ipv4({}, erspan3(5, frame, true))),
      ethernet(ipv4({}, udp({.destination = 4789}, vxlan(42, frame)))),
      ethernet(ipv6({}, udp({.destination = 6081}, geneve(42, bridged(frame), raw({1, 2, 3, 0}))))),
      ethernet(ipv4({}, udp({.destination = 2152}, gtp_u(42, v4, true)))),
      ethernet(
          ipv4({}, udp({.destination = 3544}, teredo(ipv6({}, home_address("::1", t)), true)))),
      ethernet(ipv4({}, udp({.destination = 5072}, ayiya({}, ipv6({}, t))))),
      ethernet(ipv4({}, gre({}, other_network(0x8200, wlan_aggregate({v4, v4, v4}))))),
      radiotap({.flags = 0x20, .time = true}, wlan_aggregate({v4, v4})),
      avs(wlan({.qos = 0}, v4)),
      linux_sll2(v4),
      nflog(v4),
      ppp(v4),
  };
  for (const auto& part : ipv6_fragments({}, 3, t, 16))
    all.push_back(ethernet(part));
  for (const auto& part : ipv4_fragments({}, t, 16))
    all.push_back(ethernet(part));
  return all;
}

constexpr link_type links[] = {link_type::ethernet,   link_type::linux_sll2,
                               link_type::nflog,      link_type::ppp,
                               link_type::null,       link_type::loop,
                               link_type::ppp_serial, link_type::raw,
                               link_type::linux_sll,  link_type::ieee802_11_radiotap,
                               link_type::prism,      link_type::ppi,
                               link_type::ieee802_11};

TEST(damaged_packets, count_once_each_and_leave_no_segment_outside) {
  const auto good = samples();
  std::mt19937 random{11};
  decoding d{{.shards = 3, .max_fragment_bytes = 64 << 10}};
  constexpr std::uint64_t rounds = 20000;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    auto bytes = good[random() % good.size()];
    for (auto flips = random() % 4; flips != 0; --flips)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto link = random() % 3 == 0 ? links[random() % std::size(links)] : link_type::ethernet;
    const auto wire = bytes.size() + (random() % 3 == 0 ? random() : 0);
    for (const auto& s : d.decode(bytes, {.link = link, .wire = wire})) {
      ASSERT_LE(s.captured, s.length);
      ASSERT_LE(s.key.a(), s.key.b());
      // Readable, as sanitizers see.
      std::uint32_t sum = 0;
      for (const auto b : s.payload())
        sum += std::to_integer<std::uint32_t>(b);
      ASSERT_LE(sum, s.captured * 255u);
    }
    if (round % 256 == 0) {
      ASSERT_EQ(outcomes(d.counters()), round + 1);
    }
  }
  ASSERT_EQ(outcomes(d.counters()), rounds);
  EXPECT_GT(d.counters().tcp, rounds / 20);
  EXPECT_GT(d.counters().malformed, rounds / 20);
  std::uint64_t named = 0;
  for (const auto& [name, count] : d.counters().other_protocols)
    named += count;
  EXPECT_EQ(named, d.counters().not_tcp + d.counters().unknown_link);
}

} // namespace
} // namespace weir::test
