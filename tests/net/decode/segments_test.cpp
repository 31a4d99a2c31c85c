// What a segment says of its TCP and IP headers.
#include <gtest/gtest.h>

#include <set>

#include <weir/tests/net/decode/decoding.hpp>

namespace weir::test {
namespace {

endpoint sender(const segment& s) { return s.from_b ? s.key.b() : s.key.a(); }
endpoint receiver(const segment& s) { return s.from_b ? s.key.a() : s.key.b(); }

TEST(segments, carry_the_fields_of_the_tcp_header) {
  decoding d;
  const auto found = d.decode(ethernet(ipv4({}, tcp({.source = 4321,
                                                     .destination = 80,
                                                     .sequence = 0xfffffff0,
                                                     .acknowledgment = 77,
                                                     .flags = tcp_flag::ack | tcp_flag::psh,
                                                     .window = 502},
                                                    "payload"))),
                              {.time = at(std::chrono::milliseconds{5})});
  ASSERT_EQ(found.size(), 1u);
  const auto& s = found[0];
  EXPECT_EQ(to_string(sender(s)), "192.0.2.1:4321");
  EXPECT_EQ(to_string(receiver(s)), "198.51.100.7:80");
  EXPECT_EQ(s.sequence, 0xfffffff0u);
  EXPECT_EQ(s.acknowledgment, 77u);
  EXPECT_EQ(s.flags, tcp_flag::ack | tcp_flag::psh);
  EXPECT_EQ(s.window, 502u);
  EXPECT_EQ(s.window_scale, segment::no_scale);
  EXPECT_EQ(s.length, 7u);
  EXPECT_EQ(as_text(s.payload()), "payload");
  EXPECT_EQ(s.time, at(std::chrono::milliseconds{5}));
  EXPECT_EQ(s.encapsulation, 0u);
  EXPECT_EQ(s.key.context, 0u);
  EXPECT_EQ(s.flow_hash, hash(s.key, secret_seed()));
}

TEST(segments, of_both_directions_have_one_key) {
  struct ends {
    std::string_view one, other;
    std::uint16_t one_port, other_port;
  };
  for (const auto& e :
       {ends{"192.0.2.1", "192.0.2.2", 9, 3}, ends{"192.0.2.9", "192.0.2.2", 3, 9},
        ends{"127.0.0.1", "127.0.0.1", 5, 6}, ends{"127.0.0.1", "127.0.0.1", 6, 5}}) {
    decoding d;
    const auto there =
        d.decode(ethernet(ipv4({.source = e.one, .destination = e.other},
                               tcp({.source = e.one_port, .destination = e.other_port}))));
    const auto back =
        d.decode(ethernet(ipv4({.source = e.other, .destination = e.one},
                               tcp({.source = e.other_port, .destination = e.one_port}))));
    ASSERT_EQ(there.size(), 1u);
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(there[0].key, back[0].key);
    EXPECT_LE(there[0].key.a(), there[0].key.b());
    EXPECT_NE(there[0].from_b, back[0].from_b);
    EXPECT_EQ(to_string(sender(there[0])), std::string{e.one} + ':' + std::to_string(e.one_port));
    EXPECT_EQ(to_string(sender(back[0])),
              std::string{e.other} + ':' + std::to_string(e.other_port));
  }
}

TEST(segments, of_ipv6_have_whole_addresses) {
  decoding d;
  const auto found = d.decode(ethernet(ipv6({}, tcp({.source = 1, .destination = 2}, "x"))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(sender(found[0])), "[2001:db8::1]:1");
  EXPECT_EQ(to_string(receiver(found[0])), "[2001:db8::7]:2");
}

TEST(segments, take_the_window_scale_of_a_syn_only) {
  struct example {
    byte_vector options;
    std::uint8_t flags, scale;
  };
  const std::vector<example> examples{
      {raw({2, 4, 5, 0xb4, 1, 3, 3, 7}), tcp_flag::syn, 7},
      {raw({1, 1, 1, 3, 3, 14}), tcp_flag::syn | tcp_flag::ack, 14},
      {raw({3, 3, 200}), tcp_flag::syn, 14},
      {raw({3, 3, 7}), tcp_flag::ack, segment::no_scale},
      {raw({0, 3, 3, 7}), tcp_flag::syn, segment::no_scale},
      {raw({3, 0, 7, 3, 3, 9}), tcp_flag::syn, segment::no_scale},
      {raw({3, 3}), tcp_flag::syn, 0}, // padding is its value
      {raw({1, 1, 3, 3}), tcp_flag::syn, segment::no_scale},
      {raw({2, 40, 0, 0}), tcp_flag::syn, segment::no_scale},
      {raw({}), tcp_flag::syn, segment::no_scale},
  };
  for (const auto& e : examples) {
    decoding d;
    const auto found =
        d.decode(ethernet(ipv4({}, tcp({.flags = e.flags, .options = e.options}, "x"))));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].window_scale, e.scale);
    EXPECT_EQ(as_text(found[0].payload()), "x");
  }
}

TEST(segments, end_where_the_ip_header_says_and_not_with_the_padding) {
  for (const auto& inner : {ipv4({}, tcp({}, "ab")), ipv6({}, tcp({}, "ab")),
                            ipv4({.options = raw({7, 3, 4})}, tcp({}, "ab"))}) {
    auto frame = ethernet(inner);
    frame.resize(frame.size() + 20, std::byte{0xee});
    decoding d;
    const auto found = d.decode(frame);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(as_text(found[0].payload()), "ab");
    EXPECT_EQ(found[0].length, 2u);
  }
}

TEST(segments, cut_by_a_snapshot_length_keep_the_length_they_had) {
  for (const auto& inner : {ipv4({}, tcp({}, "0123456789")), ipv6({}, tcp({}, "0123456789"))}) {
    decoding d;
    const auto frame = ethernet(inner);
    const auto found = d.decode(frame, {.captured = frame.size() - 6});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(as_text(found[0].payload()), "0123");
    EXPECT_EQ(found[0].length, 10u);
  }
}

TEST(segments, cut_without_a_word_of_it_keep_the_length_that_ip_says) {
  decoding d;
  auto frame = ethernet(ipv4({}, tcp({}, "0123456789")));
  frame.resize(frame.size() - 6);
  const auto found = d.decode(frame);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].captured, 4u);
  EXPECT_EQ(found[0].length, 10u);
}

TEST(segments, without_an_ip_length_have_what_was_on_the_wire) {
  for (const auto& inner : {ipv4({.total_length = 0}, tcp({}, "0123456789")),
                            ipv6({.payload_length = 0}, tcp({}, "0123456789"))}) {
    const auto frame = ethernet(inner);
    decoding d;
    auto found = d.decode(frame);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(as_text(found[0].payload()), "0123456789");
    found = d.decode(frame, {.captured = frame.size() - 3});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].captured, 7u);
    EXPECT_EQ(found[0].length, 10u);
  }
}

TEST(segments, are_never_longer_than_any_packet_can_be) {
  decoding d;
  const auto found = d.decode(ethernet(ipv4({.total_length = 0}, tcp({}, "x"))),
                              {.wire = std::size_t{0xffffffff}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].captured, 1u);
  EXPECT_LE(found[0].length, packet_block::max_packet);
}

TEST(segments, keep_their_order_within_a_flow_and_flows_their_shard) {
  memory_budget budget{1 << 30};
  decoder d{{.shards = 4}, budget};
  packet_block block{1 << 20};
  constexpr std::uint16_t flows = 400;
  for (std::uint32_t round = 0; round < 3; ++round)
    for (std::uint16_t f = 0; f < flows; ++f) {
      const bool back = round == 1;
      const auto client = static_cast<std::uint16_t>(2000 + f);
      add_packet(block, ethernet(ipv4({.source = back ? "198.51.100.7" : "192.0.2.1",
                                       .destination = back ? "192.0.2.1" : "198.51.100.7"},
                                      tcp({.source = back ? std::uint16_t{80} : client,
                                           .destination = back ? client : std::uint16_t{80},
                                           .sequence = round}))));
    }
  d.decode(block);
  ASSERT_EQ(block.shards.size(), 4u);
  std::size_t total = 0;
  std::set<std::uint16_t> seen;
  for (const auto& shard : block.shards) {
    // An even share is 100 flows; far fewer or more means that hash bits are not used well.
    EXPECT_GT(shard.segments.size(), 3 * 50u);
    EXPECT_LT(shard.segments.size(), 3 * 150u);
    total += shard.segments.size();
    std::map<std::uint16_t, std::uint32_t> next;
    for (const auto& s : shard.segments) {
      const auto port = std::max(s.key.port_a, s.key.port_b);
      EXPECT_EQ(s.sequence, next[port]++);
    }
    for (const auto& [port, count] : next) {
      EXPECT_EQ(count, 3u) << "a flow is split over shards";
      EXPECT_TRUE(seen.insert(port).second);
    }
  }
  EXPECT_EQ(total, 3u * flows);
}

TEST(segments, of_a_header_that_contradicts_itself_do_not_exist) {
  const auto cut_to = [](byte_vector frame, std::size_t size) {
    frame.resize(size);
    return frame;
  };
  const auto good = ethernet(ipv4({}, tcp({}, "payload")));
  const std::vector<std::pair<const char*, byte_vector>> bad{
      {"empty", {}},
      {"no ethertype", cut_to(good, 13)},
      {"ip header cut", cut_to(good, 14 + 19)},
      {"ip header too short", ethernet(ipv4({.header_words = 4}, tcp({})))},
      {"ip options cut", ethernet(ipv4({.header_words = 15}, other_transport(6, "")))},
      {"ip length below its header", ethernet(ipv4({.total_length = 19}, tcp({})))},
      {"ip version", ethernet(other_network(0x0800, raw({0x65, 0, 0, 20})))},
      {"ipv6 version", ethernet(other_network(0x86dd, ipv4({}, tcp({})).data))},
      {"ipv6 header cut", ethernet(other_network(0x86dd, raw({0x60, 0, 0, 0, 0, 0, 6})))},
      {"tcp header cut", cut_to(good, 14 + 20 + 19)},
      {"tcp length below its header",
       ethernet(ipv4({}, other_transport(6, "0123456789012345678")))},
      {"data offset below five", ethernet(ipv4({}, tcp({.data_offset = 4})))},
      {"data offset beyond the end", ethernet(ipv4({}, tcp({.data_offset = 6})))},
  };
  for (const auto& [what, frame] : bad) {
    decoding d;
    EXPECT_TRUE(d.decode(frame).empty()) << what;
    EXPECT_EQ(d.counters().malformed, 1u) << what;
  }
}

} // namespace
} // namespace weir::test
