/// Fragments, headers, times and addresses made to cost.

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <weir/tests/apps/attack_fixture.hpp>
#include <weir/tests/support/captures.hpp>
#include <weir/tests/support/packets.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using namespace test;

class packet_attack : public attack_fixture {};

// -- fragments
// ---------------------------------------------------------------------------------------

TEST_F(packet_attack, fragments_that_never_complete_are_bounded) {
  honest.fragment();
  mix(many(200'000), [&](std::size_t i) {
    traffic.add_ipv4(stranger(), server, 6, static_cast<std::uint16_t>(i), 0x2000,
                     bytes_view{full_segment}.first(8 + 8 * (i % 20)));
  });
  run(small_budget);
  EXPECT_GE(summary["datagrams"]["given_up"], many(200'000) - 16384);
}

TEST_F(packet_attack, pieces_of_the_largest_datagrams_are_bounded) {
  honest.fragment();
  mix(many(300'000), [&](std::size_t i) {
    const auto offset = static_cast<std::uint16_t>(1 + i % 8000);
    traffic.add_ipv4({0xc0000001 + static_cast<std::uint32_t>(i % 500), 0}, server, 6,
                     static_cast<std::uint16_t>(i / 4000), 0x2000 | offset,
                     bytes_view{full_segment}.first(8));
  });
  run(small_budget);
}

TEST_F(packet_attack, overlapping_fragments_are_counted) {
  honest.fragment();
  const auto strikes = many(100'000);
  mix(strikes, [&](std::size_t i) {
    traffic.add_ipv4({0xc0000001, 0}, server, 6, static_cast<std::uint16_t>(i / 100),
                     static_cast<std::uint16_t>(0x2000 | (1 + 2 * (i % 100))),
                     bytes_view{full_segment}.first(32));
  });
  run(small_budget);
  EXPECT_EQ(summary["datagrams"]["fragments_overlapping"], strikes / 100 * 99);
}

TEST_F(packet_attack, fragments_of_ipv6_that_never_complete_are_bounded) {
  honest.fragment();
  std::vector<std::byte> datagram(40 + 8 + 64);
  datagram[0] = std::byte{0x60};
  datagram[5] = std::byte{8 + 64};
  datagram[6] = std::byte{44};
  datagram[40] = std::byte{6};
  datagram[43] = std::byte{1};
  mix(many(200'000), [&](std::size_t) {
    const auto id = numbers.next32();
    std::memcpy(&datagram[44], &id, sizeof id);
    traffic.add_datagram(0x86dd, datagram);
  });
  run(small_budget);
  EXPECT_GE(summary["datagrams"]["given_up"], many(200'000) - 16384);
}

// -- decoding
// ----------------------------------------------------------------------------------------

/// Four bytes of a packet make an entry of forty.
TEST_F(packet_attack, tags_nested_as_deep_as_they_go_are_bounded) {
  const test::byte_vector inner = test::ipv4({}, test::tcp({}, "x")).data;
  mix(many(300'000), [&](std::size_t i) {
    test::byte_vector tags;
    for (std::size_t k = 0; k < 28; ++k) {
      const auto id = k < 2 ? i >> (12 * k) & 0xfff : k;
      for (const auto b :
           {id >> 8, id & 0xff, std::size_t{k == 27 ? 0x08u : 0x81u}, std::size_t{0}})
        tags.push_back(static_cast<std::byte>(b));
    }
    tags.insert(tags.end(), inner.begin(), inner.end());
    traffic.add_datagram(0x8100, tags);
  });
  run(small_budget, {"--no-midstream"});
  EXPECT_EQ(summary["segments"]["midstream_ignored"], many(300'000));
}

TEST_F(packet_attack, tunnels_nested_too_deep_are_given_up) {
  auto nested = test::ipv4({}, test::tcp({}, "x"));
  for (int k = 0; k < 60; ++k)
    nested = test::ipv4({}, k % 2 == 0 ? test::ip_in_ip(nested) : test::gre({}, nested));
  const auto strikes = many(50'000);
  mix(strikes, [&](std::size_t) { traffic.add_datagram(0x0800, nested.data); });
  run(small_budget);
  EXPECT_EQ(summary["packets"]["tcp"].get<std::uint64_t>()
                + summary["packets"]["malformed"].get<std::uint64_t>()
                + summary["packets"]["not_tcp"].get<std::uint64_t>(),
            traffic.packets());
  EXPECT_EQ(summary["sessions"]["total"], 60);
}

TEST_F(packet_attack, noise_of_any_length_and_link_type_is_counted) {
  std::vector<std::string> more;
  const auto each = many(20'000);
  for (const auto link : {0u, 1u, 101u, 105u, 113u, 127u, 147u, 276u, 9999u}) {
    test::pcap_file noise{{.link = static_cast<link_type>(link)}};
    for (std::size_t i = 0; i < each; ++i) {
      test::byte_vector bytes(numbers.below(80));
      for (auto& b : bytes)
        b = static_cast<std::byte>(numbers.next() & 0xff);
      noise.add(traffic.now() + i * 1us, bytes);
    }
    const auto name = "noise" + std::to_string(link) + ".pcap";
    noise.write(folder / name);
    more.push_back(folder / name);
  }
  mix(1000, [&](std::size_t) { traffic.add({}); });
  more.insert(more.begin(), "-r");
  run(small_budget, more);
  EXPECT_EQ(summary["packets"]["captured"], traffic.packets() + 9 * each);
  EXPECT_GE(summary["packets"]["unknown_link"], 2 * each);
}

// -- hashes
// ------------------------------------------------------------------------------------------

/// Addresses and ports that any sum or exclusive-or of both ends makes the same number of.
std::pair<host, host> colliding(std::uint32_t i) {
  const auto low = static_cast<std::uint16_t>(i & 0x7fff);
  const auto high = i >> 15;
  return {{0xc0000000 + high, static_cast<std::uint16_t>(0x8000 + low)},
          {0xc0ffffff - high, static_cast<std::uint16_t>(0xffff - low - 0x8000)}};
}

TEST_F(packet_attack, flows_that_collide_without_the_seed_leave_other_sessions_whole) {
  mix(many(300'000), [&](std::size_t i) {
    const auto [from, to] = colliding(static_cast<std::uint32_t>(i));
    traffic.add_tcp(from, to, {.flags = tcp_flag::syn});
  });
  run(small_budget);
}

TEST(flow_hash, spreads_flows_that_collide_without_the_seed) {
  constexpr std::size_t buckets = 1 << 16;
  std::vector<std::uint32_t> load(buckets);
  for (std::uint32_t i = 0; i < buckets; ++i) {
    const auto [from, to] = colliding(i);
    flow_key key;
    const auto put = [](std::array<std::uint8_t, 16>& address, std::uint32_t v) {
      for (std::size_t b = 0; b < 4; ++b)
        address[b] = static_cast<std::uint8_t>(v >> (24 - 8 * b));
    };
    put(key.address_a, from.address);
    put(key.address_b, to.address);
    key.port_a = from.port;
    key.port_b = to.port;
    key.family = ip_family::v4;
    ++load[hash(key, secret_seed()) % buckets];
  }
  // One flow a bucket on average: chance alone puts nine into the fullest, and never 24.
  EXPECT_LT(*std::ranges::max_element(load), 24u);
}
} // namespace
} // namespace weir
