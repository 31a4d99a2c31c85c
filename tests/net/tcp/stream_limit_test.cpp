#include <gtest/gtest.h>

#include <string>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using test::one_direction;

TEST(stream_limit, declares_the_lowest_gap_when_it_may_hold_no_more) {
  one_direction d{{.max_held = 10'000}};
  d.opened();
  const std::string text(1000, 'x');
  std::int64_t at = 1000;
  while (d.heard.empty() && at < 100'000) {
    d.data(at, text);
    at += 1000;
  }
  EXPECT_LE(at, 11'000);
  EXPECT_EQ(d.heard.substr(0, 7), "[1000]x");
  EXPECT_EQ(d.delivered, static_cast<std::uint64_t>(at));
}

TEST(stream_limit, never_holds_more_than_it_may) {
  one_direction d{{.max_held = 20'000}};
  d.opened();
  for (std::int64_t i = 0; i < 5000; ++i) {
    d.data(5000 * 16 - i * 16, "x");
    ASSERT_LE(d.held(), 20'000u);
  }
  d.finish();
  EXPECT_EQ(d.held(), 0u);
  EXPECT_EQ(d.figures.bytes + d.figures.duplicate, 5000u);
}

TEST(stream_limit, holds_one_segment_larger_than_it_may_no_longer_than_its_arrival) {
  one_direction d{{.max_held = 100}};
  d.opened();
  d.data(5, std::string(1000, 'x'));
  EXPECT_EQ(d.held(), 0u);
  EXPECT_EQ(d.delivered, 1005u);
}

TEST(stream_limit, stays_fast_with_very_many_tiny_segments_in_the_worst_order) {
  one_direction d{{.max_held = 64 << 20}};
  d.opened();
  constexpr std::int64_t n = 200'000;
  for (std::int64_t i = n; i > 0; --i)
    d.data(i * 2, "x");
  for (std::int64_t i = n; i > 0; --i)
    d.data(i * 2 + 1, "y");
  d.data(0, "ab");
  EXPECT_EQ(d.figures.bytes, 2u * n + 2);
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream_limit, charges_held_bytes_to_the_budget_until_they_are_delivered) {
  one_direction d;
  d.opened();
  d.data(1000, std::string(5000, 'x'));
  EXPECT_GE(d.budget.used(), 5000u);
  EXPECT_EQ(d.budget.used(), d.held());
  d.ack(6000);
  d.under_test().relieve();
  EXPECT_EQ(d.budget.used(), 0u);
}

} // namespace
} // namespace weir
