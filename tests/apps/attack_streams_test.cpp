/// Attacks on the order of a stream, and from outside of a session.

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <weir/tests/apps/attack_fixture.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using namespace test;

class stream_attack : public attack_fixture {};

// -- out of order
// ------------------------------------------------------------------------------------

TEST_F(stream_attack, data_that_never_gets_its_first_byte_is_bounded) {
  const host from{0xc0000001, 40000};
  const auto strikes = many(40'000);
  mix(strikes, [&](std::size_t i) {
    if (i == 0) handshake(from);
    data(from, 1001 + static_cast<std::uint32_t>(i * full_segment.size()), full_segment);
  });
  run(small_budget);
  EXPECT_EQ(summary["streams"]["missing"], 1);
  expect_segments_counted();
}

TEST_F(stream_attack, every_other_segment_missing_is_bounded) {
  const host from{0xc0000001, 40000};
  const auto strikes = many(40'000);
  mix(strikes, [&](std::size_t i) {
    if (i == 0) handshake(from);
    data(from, 1000 + static_cast<std::uint32_t>((2 * i + 1) * 1448), full_segment);
  });
  run(small_budget);
  expect_segments_counted();
}

TEST_F(stream_attack, holes_that_are_acknowledged_are_gaps_at_once) {
  const host from{0xc0000001, 40000};
  const auto strikes = many(40'000);
  mix(strikes, [&](std::size_t i) {
    if (i == 0) handshake(from);
    const auto sequence = 1000 + static_cast<std::uint32_t>((2 * i + 1) * 1448);
    data(from, sequence, full_segment);
    traffic.add_tcp(server, from,
                    {.flags = tcp_flag::ack, .sequence = 5000, .acknowledgment = sequence + 1448});
  });
  run(small_budget);
  EXPECT_EQ(summary["streams"]["gaps"], strikes);
  EXPECT_EQ(summary["streams"]["missing"], strikes * 1448);
  expect_segments_counted();
}

/// None of them may hold much, all together hold more than the budget.
TEST_F(stream_attack, many_sessions_with_data_out_of_order_are_evicted_before_active_ones) {
  constexpr std::size_t hoarders = 60;
  const auto each = many(1000);
  mix(hoarders, [&](std::size_t i) {
    const host from{0xc0000001, static_cast<std::uint16_t>(40000 + i)};
    handshake(from);
    for (std::size_t k = 0; k < each; ++k)
      data(from, 1001 + static_cast<std::uint32_t>(k * full_segment.size()), full_segment);
  });
  run(small_budget);
  if (!sanitized) {
    EXPECT_GT(sessions("evicted"), 0);
  }
  expect_segments_counted();
}

TEST_F(stream_attack, single_bytes_in_any_order_come_out_in_order) {
  const host from{0xc0000001, 40000};
  std::vector<std::uint32_t> order(many(100'000));
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[numbers.below(i)]);
  mix(order.size(), [&](std::size_t i) {
    if (i == 0) handshake(from);
    const std::byte one{static_cast<std::uint8_t>(order[i] * 7 >> 3)};
    data(from, 1000 + order[i], {&one, 1});
  });
  run(usual_budget);
  expect_segments_counted();
  const auto lines = test::read_index(out);
  const auto line =
      std::ranges::find(lines, "192.0.0.1", [](const auto& l) { return l["client"]["address"]; });
  ASSERT_NE(line, lines.end());
  const auto bytes = test::read_file(folder / "out" / (*line)["client"]["file"].get<std::string>());
  ASSERT_EQ(bytes.size(), order.size());
  for (std::uint32_t i = 0; i < bytes.size(); ++i)
    ASSERT_EQ(static_cast<std::uint8_t>(bytes[i]), static_cast<std::uint8_t>(i * 7 >> 3)) << i;
}

/// Held bytes are looked at again with each segment that overlaps them.
TEST_F(stream_attack, segments_over_many_held_single_bytes_are_bounded) {
  const host from{0xc0000001, 40000};
  constexpr std::size_t singles = 40'000;
  mix(many(300'000), [&](std::size_t i) {
    if (i == 0) handshake(from);
    if (i < singles)
      data(from, 1001 + static_cast<std::uint32_t>(2 * i), bytes_view{full_segment}.first(1));
    else if (i % 10 == 0)
      data(from, 1001 + static_cast<std::uint32_t>(numbers.below(2 * singles - 1448)),
           full_segment);
  });
  run(usual_budget);
  expect_segments_counted();
}

TEST_F(stream_attack, jumps_of_the_sequence_number_with_each_packet_are_bounded) {
  const host from{0xc0000001, 40000};
  mix(many(40'000), [&](std::size_t i) {
    if (i == 0) handshake(from);
    data(from, numbers.next32(), full_segment);
  });
  run(small_budget);
  expect_segments_counted();
}

// -- somebody else's packets in an honest session
// ----------------------------------------------------

class blind_attack : public stream_attack, public ::testing::WithParamInterface<std::uint8_t> {
protected:
  /// A segment to one side of an open session, anywhere but where its receiver would take it.
  void blind(std::uint8_t flags, std::size_t i, bytes_view payload = {}) {
    const auto open = honest.opened();
    const auto& c = open[i % open.size()];
    const auto from = numbers.below(2);
    const auto away = static_cast<std::uint32_t>((1 << 20) + numbers.below(0xffe00000));
    traffic.add_tcp(
        c.hosts[from], c.hosts[1 - from],
        {.flags = flags, .sequence = c.next[from] + away, .acknowledgment = numbers.next32()},
        payload);
  }

  /// The same, but both sides' segments agree with each other, as if the capture had lost seconds
  /// of both. Now and then one has `flags`.
  void made_up(std::uint8_t flags, std::size_t i, bytes_view payload) {
    const auto open = honest.opened();
    const auto& c = open[i % open.size()];
    const auto n = i / open.size();
    const auto from = n % 2;
    auto& next = made_up_next_[i % open.size()];
    if (n == 0) next = {c.next[0] + (1u << 30), c.next[1] + (1u << 29)};
    traffic.add_tcp(c.hosts[from], c.hosts[1 - from],
                    {.flags = n % 7 == 6 ? flags : tcp_flag::ack,
                     .sequence = next[from],
                     .acknowledgment = next[1 - from]},
                    payload);
    next[from] += static_cast<std::uint32_t>(payload.size());
  }

private:
  std::map<std::size_t, std::array<std::uint32_t, 2>> made_up_next_;
};

std::string flag_name(const ::testing::TestParamInfo<std::uint8_t>& info) {
  switch (info.param) {
  case tcp_flag::rst: return "rst";
  case tcp_flag::rst | tcp_flag::ack: return "rst_ack";
  case tcp_flag::syn: return "syn";
  case tcp_flag::syn | tcp_flag::ack: return "syn_ack";
  case tcp_flag::fin | tcp_flag::ack: return "fin";
  default: return "ack";
  }
}

INSTANTIATE_TEST_SUITE_P(each, blind_attack,
                         ::testing::Values(tcp_flag::rst, tcp_flag::rst | tcp_flag::ack,
                                           tcp_flag::syn, tcp_flag::syn | tcp_flag::ack,
                                           tcp_flag::fin | tcp_flag::ack, tcp_flag::ack),
                         flag_name);

TEST_P(blind_attack, does_not_touch_the_session) {
  mix(many(100'000), [&](std::size_t i) { blind(GetParam(), i); });
  run(small_budget);
}

/// Its data may follow a loss of the capture, and waits; its acknowledgement is not to be believed.
TEST_P(blind_attack, with_payload_does_not_touch_the_session) {
  mix(many(50'000),
      [&](std::size_t i) { blind(GetParam(), i, bytes_view{full_segment}.first(100)); });
  run(small_budget);
}

TEST_P(blind_attack, that_agrees_with_itself_does_not_touch_the_session) {
  mix(many(50'000), [&](std::size_t i) { made_up(GetParam(), i, {}); });
  run(small_budget);
}

/// Each time enough to be taken for a sustained run.
TEST_P(blind_attack, that_agrees_with_itself_does_not_touch_the_session_with_payload) {
  mix(many(100'000), [&](std::size_t i) { made_up(GetParam(), i, full_segment); });
  run(small_budget);
}

} // namespace
} // namespace weir
