// Fragments as the decoder meets them: of both IP versions, padded, cut, and in all sorts of
// layers.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include <weir/tests/net/decode/decoding.hpp>

namespace weir::test {
namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 4000; ++i)
    text += std::to_string(i) + ' ';
  return text;
}

const std::string text = long_text();

struct example {
  const char* what;
  std::vector<network> parts;
};

void PrintTo(const example& e, std::ostream* out) { *out << e.what; }

std::vector<example> examples() {
  const auto t = tcp({.options = raw({1, 1, 1, 1})}, text);
  return {
      {"ipv4", ipv4_fragments({.id = 7}, t, 1480)},
      {"ipv4 with options", ipv4_fragments({.id = 7, .options = raw({7, 3, 4})}, t, 1480)},
      {"ipv4, the tcp header over three fragments", ipv4_fragments({.id = 7}, t, 8)},
      {"ipv6", ipv6_fragments({}, 7, t, 1432)},
      {"ipv6 with headers in the fragments", ipv6_fragments({}, 7, destination_options(t), 1432)},
      {"ipv6, the tcp header over three fragments", ipv6_fragments({}, 7, t, 8)},
      {"ipv4 with a tunnel inside", ipv4_fragments({.id = 7}, gre({}, ipv6({}, t)), 1480)},
      {"ipv6 with a tunnel inside",
       ipv6_fragments({}, 7, udp({.destination = 4789}, vxlan(42, ethernet(ipv4({}, t)))), 1432)},
  };
}

class fragmented : public testing::TestWithParam<example> {};

TEST_P(fragmented, segments_come_back_in_any_order) {
  auto parts = GetParam().parts;
  std::mt19937 random{3};
  decoding d;
  constexpr int rounds = 6;
  for (int round = 0; round < rounds; ++round) {
    if (round == 1)
      std::ranges::reverse(parts);
    else if (round > 1)
      std::ranges::shuffle(parts, random);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto frame = ethernet(parts[i]);
      // Ethernet's padding is no part of a fragment.
      while (frame.size() < 60)
        frame.push_back(std::byte{0xee});
      const auto found = d.decode(frame);
      if (i + 1 < parts.size()) {
        ASSERT_TRUE(found.empty());
        continue;
      }
      ASSERT_EQ(found.size(), 1u);
      EXPECT_EQ(as_text(found[0].payload()), text);
      EXPECT_EQ(found[0].length, text.size());
    }
  }
  const auto c = d.counters();
  EXPECT_EQ(c.tcp, std::uint64_t{rounds});
  EXPECT_EQ(c.fragments, rounds * (parts.size() - 1));
  EXPECT_EQ(c.datagrams_reassembled, std::uint64_t{rounds});
  EXPECT_EQ(c.datagrams_pending, 0u);
  EXPECT_EQ(d.budget().used(), 0u);
}

TEST_P(fragmented, segments_do_not_come_without_a_fragment) {
  const auto& parts = GetParam().parts;
  for (std::size_t left_out = 0; left_out < std::min<std::size_t>(parts.size(), 3); ++left_out) {
    decoding d;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (i != left_out) {
        EXPECT_TRUE(d.decode(ethernet(parts[i])).empty());
      }
    EXPECT_EQ(d.counters().datagrams_pending, 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(all, fragmented, testing::ValuesIn(examples()));

TEST(fragmented_packets, segments_outlive_their_packets_within_the_block) {
  memory_budget budget{1 << 30};
  decoder d{{}, budget};
  packet_block block{1 << 20};
  for (const auto& part : ipv4_fragments({.id = 7}, tcp({}, text), 1480))
    add_packet(block, ethernet(part));
  d.decode(block);
  std::ranges::fill(block.storage(), std::byte{0});
  ASSERT_EQ(block.shards.at(0).segments.size(), 1u);
  EXPECT_EQ(as_text(block.shards[0].segments[0].payload()), text);
}

TEST(fragmented_packets, datagrams_of_other_protocols_count_as_fragments) {
  decoding d;
  const auto parts = ipv4_fragments({}, udp({}, text), 1480);
  for (const auto& part : parts)
    EXPECT_TRUE(d.decode(ethernet(part)).empty());
  EXPECT_EQ(d.counters().fragments, parts.size());
  EXPECT_EQ(d.counters().datagrams_reassembled, 1u);
  EXPECT_TRUE(d.counters().other_protocols.empty());
}

TEST(fragmented_packets, datagrams_in_different_vlans_do_not_meet) {
  decoding d;
  const auto parts = ipv4_fragments({}, tcp({}, text), 2400);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_TRUE(d.decode(ethernet(vlan(7, parts[0]))).empty());
  EXPECT_TRUE(d.decode(ethernet(vlan(8, parts[1]))).empty());
  EXPECT_EQ(d.decode(ethernet(vlan(7, parts[1]))).size(), 1u);
}

TEST(fragmented_packets, datagrams_in_tunnels_keep_their_encapsulation) {
  decoding d;
  const auto parts = ipv4_fragments({}, tcp({}, text), 2400);
  EXPECT_TRUE(d.decode(ethernet(ipv4({}, gre({}, parts[0])))).empty());
  const auto found = d.decode(ethernet(ipv4({}, gre({}, parts[1]))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(d.wrapped(found[0]).size(), 1u);
  EXPECT_NE(found[0].key.context, 0u);
}

TEST(fragmented_packets, datagrams_in_fragments_are_put_together_level_by_level) {
  decoding d;
  std::vector<network> frames;
  std::uint16_t id = 100;
  for (const auto& inner : ipv4_fragments({.id = 5}, tcp({}, text), 1480))
    for (const auto& part :
         ipv4_fragments({.source = "10.0.0.1", .id = id++}, ip_in_ip(inner), 800))
      frames.push_back(part);
  std::mt19937 random{3};
  std::ranges::shuffle(frames, random);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto found = d.decode(ethernet(frames[i]));
    ASSERT_EQ(found.size(), i + 1 == frames.size() ? 1u : 0u);
    if (!found.empty()) {
      EXPECT_EQ(as_text(found[0].payload()), text);
    }
  }
}

TEST(fragmented_packets, datagrams_with_a_cut_fragment_are_given_up) {
  decoding d;
  for (const auto& part : ipv4_fragments({}, tcp({}, text), 1480))
    EXPECT_TRUE(d.decode(ethernet(part), {.captured = 68}).empty());
  EXPECT_EQ(d.counters().fragments, 3u);
  EXPECT_EQ(d.counters().datagrams_given_up, 1u);
  EXPECT_EQ(d.counters().malformed, 0u);
}

TEST(fragmented_packets, packets_that_contradict_themselves_are_malformed) {
  const std::vector<network> bad{
      ipv4({.more_fragments = true}, other_transport(6, "not eight")),
      ipv4({.more_fragments = true}, other_transport(6, "")),
      ipv4({.fragment_offset = 65528}, other_transport(6, "0123456789")),
      ipv6({}, fragment_header(1, 0, true, 6, "not eight")),
      ipv6({}, fragment_header(1, 65528, false, 6, "0123456789")),
      ipv6({}, other_transport(44, "short")),
  };
  for (const auto& n : bad) {
    decoding d;
    EXPECT_TRUE(d.decode(ethernet(n)).empty());
    EXPECT_EQ(d.counters().malformed, 1u);
    EXPECT_EQ(d.counters().datagrams_pending, 0u);
  }
}

TEST(fragmented_packets, datagrams_time_out_as_the_options_say) {
  decoding d{{.fragment_timeout = std::chrono::seconds{2}}};
  const auto parts = ipv4_fragments({}, tcp({}, text), 2400);
  EXPECT_TRUE(d.decode(ethernet(parts[0]), {.time = at({})}).empty());
  EXPECT_TRUE(d.decode(ethernet(parts[1]), {.time = at(std::chrono::seconds{3})}).empty());
  EXPECT_EQ(d.counters().datagrams_given_up, 1u);
}

TEST(fragmented_packets, datagrams_stay_within_the_memory_of_the_options) {
  decoding d{{.max_fragment_bytes = 100 << 10}};
  for (std::uint16_t id = 0; id < 500; ++id)
    d.decode(ethernet(ipv4_fragments({.id = id}, tcp({}, text), 1480).at(0)));
  EXPECT_LE(d.budget().used(), std::size_t{100} << 10);
  EXPECT_EQ(d.counters().datagrams_given_up + d.counters().datagrams_pending, 500u);
}

} // namespace
} // namespace weir::test
