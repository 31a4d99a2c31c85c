#include <gtest/gtest.h>

#include <string>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using test::one_direction;

TEST(stream_start, puts_earlier_bytes_before_the_first_captured_until_the_peer_acknowledges) {
  one_direction d;
  d.data(3, "def");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "");
  d.ack(6);
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.gap_count, 0u);
  EXPECT_EQ(d.figures.out_of_order, 3u);
}

TEST(stream_start, counts_bytes_from_before_a_start_that_is_settled) {
  one_direction d;
  d.data(3, "def");
  d.ack(6);
  d.data(0, "abc");
  d.data(1, "bcdefg");
  EXPECT_EQ(d.heard, "defg");
  EXPECT_EQ(d.figures.out_of_window, 5u);
  EXPECT_EQ(d.figures.duplicate, 3u);
}

TEST(stream_start, is_not_settled_by_an_acknowledgement_of_its_first_byte_only) {
  one_direction d;
  d.data(3, "def");
  d.ack(3);
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream_start, holds_no_more_than_64_kilobytes_back_at_its_start) {
  one_direction d;
  std::int64_t at = 0;
  const std::string text(1000, 'x');
  while (d.heard.empty() && at < 1 << 20) {
    d.data(at, text);
    at += 1000;
  }
  EXPECT_LE(at, 66000);
  EXPECT_GE(at, 50000);
  d.data(at, text);
  EXPECT_EQ(d.heard.size(), static_cast<std::size_t>(at) + 1000) << "then nothing waits any more";
}

TEST(stream_start, flushes_what_is_held_back_at_the_end) {
  one_direction d;
  d.data(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream_start, does_not_wait_where_the_peer_asked_for_just_these_bytes) {
  one_direction d;
  d.ack(0);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream_start, starts_midstream_without_a_gap) {
  one_direction d;
  d.ack(0);
  d.data(100, "abc");
  d.ack(103);
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream_start, does_not_start_with_a_keep_alive) {
  one_direction d;
  d.ack(0);
  d.data(-1, "?");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream_start, starts_where_a_late_syn_says) {
  one_direction d;
  d.data(3, "def");
  d.data(-1, "", tcp_flag::syn);
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream_start, does_not_start_at_a_syn_far_from_its_data) {
  one_direction d;
  d.data(0, "abc");
  d.data(-(1 << 29), "", tcp_flag::syn);
  d.ack(3);
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream_start, drops_what_lies_before_a_late_syn) {
  one_direction d;
  d.data(-2, "??abc");
  d.data(-1, "", tcp_flag::syn);
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 2u);
}

TEST(stream_start, starts_where_the_answer_to_its_syn_says) {
  one_direction d;
  auto answer = d.at(0, {}, tcp_flag::syn | tcp_flag::ack);
  answer.acknowledgment = answer.sequence;
  d.under_test().acknowledge(answer);
  d.data(3, "def");
  d.finish();
  EXPECT_EQ(d.heard, "[3]def");
}

TEST(stream_start, starts_where_the_first_acknowledgement_says_if_the_opening_was_seen) {
  one_direction d;
  d.under_test().start_with_acknowledgment();
  d.ack(0);
  d.data(3, "def");
  d.ack(6);
  EXPECT_EQ(d.heard, "[3]def");
}

TEST(stream_start, is_not_bound_by_a_single_stray_segment_at_its_start) {
  for (const std::int64_t stray : {-(1 << 29), 1 << 29}) {
    one_direction d;
    d.data(stray, "?");
    d.data(0, "abc");
    d.data(3, "def");
    d.ack(6);
    EXPECT_EQ(d.heard, "abcdef");
    EXPECT_EQ(d.figures.out_of_window, 1u);
  }
}

} // namespace
} // namespace weir
