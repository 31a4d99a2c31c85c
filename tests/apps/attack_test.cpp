/// Floods, and which sessions go when there is no room for all.

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include <weir/tests/apps/attack_fixture.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using namespace test;

class attack : public attack_fixture {};

// -- floods
// ------------------------------------------------------------------------------------------

TEST_F(attack, flood_of_syns_leaves_other_sessions_whole) {
  mix(many(1'000'000), [&](std::size_t) { syn(stranger()); });
  run(usual_budget);
  EXPECT_EQ(summary["sessions"]["total"], 60);
}

TEST_F(attack, flood_of_syns_stays_within_a_small_budget) {
  mix(many(1'000'000), [&](std::size_t) { syn(stranger()); });
  run(small_budget);
  EXPECT_EQ(summary["sessions"]["total"], 60);
}

TEST_F(attack, every_handshake_that_did_not_become_a_session_is_counted) {
  const auto strikes = many(200'000);
  mix(strikes, [&](std::size_t) { syn(stranger()); });
  run(small_budget);
  std::uint64_t counted = 0;
  for (const auto& count : summary["handshakes"])
    counted += count.get<std::uint64_t>();
  EXPECT_EQ(counted, strikes);
}

TEST_F(attack, flood_of_answered_syns_stays_within_a_small_budget) {
  mix(many(400'000), [&](std::size_t) {
    const auto from = stranger();
    const auto first = numbers.next32();
    traffic.add_tcp(from, server, {.flags = tcp_flag::syn, .sequence = first});
    traffic.add_tcp(
        server, from,
        {.flags = tcp_flag::syn | tcp_flag::ack, .sequence = 1, .acknowledgment = first + 1});
  });
  run(small_budget);
  EXPECT_EQ(summary["sessions"]["total"], 60);
}

TEST_F(attack, flood_of_syns_with_payload_is_bounded) {
  mix(many(200'000), [&](std::size_t) {
    traffic.add_tcp(stranger(), server, {.flags = tcp_flag::syn, .sequence = numbers.next32()},
                    bytes_view{full_segment}.first(400));
  });
  run(small_budget);
  EXPECT_GT(summary["segments"]["syn_payload_dropped"], 0);
}

TEST_F(attack, many_short_sessions_that_end_are_all_written) {
  const auto strikes = many(20'000);
  mix(strikes, [&](std::size_t) {
    const auto from = stranger();
    handshake(from);
    data(from, 1000, bytes_view{full_segment}.first(10));
    traffic.add_tcp(
        from, server,
        {.flags = tcp_flag::fin | tcp_flag::ack, .sequence = 1010, .acknowledgment = 5000});
    traffic.add_tcp(
        server, from,
        {.flags = tcp_flag::fin | tcp_flag::ack, .sequence = 5000, .acknowledgment = 1011});
    traffic.add_tcp(from, server,
                    {.flags = tcp_flag::ack, .sequence = 1011, .acknowledgment = 5001});
  });
  run(small_budget);
  EXPECT_EQ(sessions("closed"), strikes + 60);
  expect_segments_counted();
}

/// Their number alone takes the budget: the longest idle have to go.
TEST_F(attack, silent_sessions_that_take_the_budget_are_evicted) {
  const auto strikes = many(60'000);
  mix(strikes, [&](std::size_t) { handshake(stranger()); });
  run(small_budget);
  EXPECT_EQ(summary["sessions"]["total"], strikes + 60);
  if (!sanitized) {
    EXPECT_GT(sessions("evicted"), 0);
  }
  EXPECT_EQ(sessions("evicted") + sessions("open"), strikes);
  expect_segments_counted();
}

/// A block full of first segments makes a session of each.
TEST_F(attack, sessions_of_one_packet_each_stay_within_a_small_budget) {
  const auto strikes = many(20'000);
  mix(strikes,
      [&](std::size_t) { data(stranger(), numbers.next32(), bytes_view{full_segment}.first(1)); });
  run(small_budget);
  EXPECT_EQ(summary["sessions"]["total"], strikes + 60);
  expect_segments_counted();
}

/// The larger the budget, the larger the blocks, and each block is full of new sessions. These have
/// no payload, and so no files: a SYN, and the acknowledgement of an answer that was not captured.
TEST_F(attack, sessions_of_two_packets_each_stay_within_the_usual_budget) {
  const auto strikes = many(150'000);
  mix(strikes, [&](std::size_t) {
    const auto from = stranger();
    traffic.add_tcp(from, server, {.flags = tcp_flag::syn, .sequence = 999});
    data(from, 1000, {});
  });
  run(usual_budget);
  EXPECT_EQ(summary["sessions"]["total"], strikes + 60);
  expect_segments_counted();
}

// -- which sessions go
// -------------------------------------------------------------------------------

TEST_F(attack, evicted_sessions_are_those_idle_longest) {
  const std::uint64_t strikes = 5000;
  const std::uint64_t most = 500;
  mix(strikes, [&](std::size_t i) {
    const host from{0xc0000001, static_cast<std::uint16_t>(1024 + i)};
    handshake(from);
    // Blocks are as large as this, and no order is kept within one.
    if (i % 10 == 0) traffic.add_ipv4(server, from, 17, 0, 0, std::vector<std::byte>(60000));
    traffic.wait(1ms);
  });
  run(small_budget, {"--max-sessions", std::to_string(most)});
  EXPECT_GE(sessions("evicted"), strikes - most);
  std::string last_evicted, first_open = "9";
  for (const auto& line : test::read_index(out)) {
    if (line["client"]["address"] == "10.0.0.1") continue;
    const auto start = line["start"].get<std::string>();
    if (line["state"] == "evicted")
      last_evicted = std::max(last_evicted, start);
    else
      first_open = std::min(first_open, start);
  }
  EXPECT_LT(last_evicted, first_open);
}

/// The sessions that go on are younger than all the silent ones, also where all come in one block.
TEST_F(attack, active_sessions_survive_more_newcomers_than_there_may_be_sessions) {
  mix(10'000, [&](std::size_t) { handshake(stranger()); });
  run(small_budget, {"--max-sessions", "1000"});
}

// -- budgets that are too small -------------------------------------------------------------------

/// Without a limit of the kernel's: the program alone takes more than that.
TEST_F(attack, ends_with_the_least_budget) {
  mix(10'000, [&](std::size_t i) {
    data({0xc0000001, static_cast<std::uint16_t>(1024 + i % 100)},
         static_cast<std::uint32_t>(i / 100 * 1448), full_segment);
  });
  traffic.close();
  const auto result = test::weir({"dump", "-r", folder / "in.pcap", "-o", out, "--memory", "16M"},
                                 {.patience = sanitized ? 60s : 10s});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(honest.complaints(out), "");
}

TEST_F(attack, ends_though_fragments_alone_exceed_the_budget) {
  mix(many(100'000), [&](std::size_t i) {
    traffic.add_ipv4(stranger(), server, 6, static_cast<std::uint16_t>(i), 0x2000,
                     bytes_view{full_segment}.first(8));
  });
  traffic.close();
  const auto result = test::weir({"dump", "-r", folder / "in.pcap", "-o", out, "--memory", "16M"},
                                 {.patience = sanitized ? 60s : 10s});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(honest.complaints(out), "");
}
} // namespace
} // namespace weir
