#include <gtest/gtest.h>

#include <vector>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::one_direction;

TEST(stream_gap, declares_gaps_at_start_middle_and_end) {
  one_direction d;
  d.opened();
  d.data(2, "cd");
  d.ack(4);
  EXPECT_EQ(d.heard, "[2]cd");
  d.data(7, "hi");
  d.ack(9);
  EXPECT_EQ(d.heard, "[2]cd[3]hi");
  d.fin(12);
  d.finish();
  EXPECT_EQ(d.heard, "[2]cd[3]hi[3]");
  EXPECT_EQ(d.figures.gaps, (std::vector<gap>{{0, 2}, {4, 3}, {9, 3}}));
  EXPECT_EQ(d.figures.gap_count, 3u);
  EXPECT_EQ(d.figures.missing, 8u);
  EXPECT_EQ(d.figures.bytes, 4u);
}

TEST(stream_gap, tells_a_gap_with_the_time_of_what_settled_it) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  const auto early = d.now();
  d.ack(6);
  EXPECT_EQ(d.times, (std::vector{d.now(), early}));
}

TEST(stream_gap, settles_only_what_is_acknowledged) {
  one_direction d;
  d.opened();
  d.data(2, "cd");
  d.data(6, "gh");
  d.ack(4);
  EXPECT_EQ(d.heard, "[2]cd");
  d.data(4, "ef");
  EXPECT_EQ(d.heard, "[2]cdefgh");
}

TEST(stream_gap, is_not_moved_by_repeated_acknowledgements) {
  one_direction d;
  d.opened();
  d.data(0, "ab");
  d.data(4, "ef");
  for (int i = 0; i < 3; ++i)
    d.ack(2);
  EXPECT_EQ(d.heard, "ab");
  d.data(2, "cd");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream_gap, counts_what_comes_after_its_gap_was_declared) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  d.ack(6);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "[3]def");
  EXPECT_EQ(d.figures.duplicate, 3u);
}

TEST(stream_gap, declares_acknowledged_bytes_missing_when_answers_go_on) {
  one_direction d;
  d.opened();
  d.ack_with_data(100);
  EXPECT_EQ(d.heard, "");
  d.wait(10ms);
  d.ack_with_data(100);
  EXPECT_EQ(d.heard, "[100]");
  d.data(100, "abc");
  EXPECT_EQ(d.heard, "[100]abc");
}

TEST(stream_gap, declares_acknowledged_bytes_missing_with_the_second_bare_acknowledgement) {
  one_direction d;
  d.opened();
  d.ack(100);
  d.ack(100);
  EXPECT_EQ(d.heard, "") << "the capture may have them a moment later";
  d.wait(10ms);
  d.ack(100);
  EXPECT_EQ(d.heard, "[100]");
}

TEST(stream_gap, declares_acknowledged_bytes_missing_when_data_goes_on_after_them) {
  one_direction d;
  d.opened();
  d.ack(100);
  d.data(100, "abc");
  EXPECT_EQ(d.heard, "[100]abc");
}

TEST(stream_gap, declares_acknowledged_bytes_missing_at_the_end) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(100);
  d.finish();
  EXPECT_EQ(d.heard, "abc[97]");
}

TEST(stream_gap, takes_bytes_that_the_capture_has_just_after_their_acknowledgement) {
  one_direction d;
  d.opened();
  d.ack(3);
  d.data(0, "abc");
  d.data(3, "def");
  d.ack(6);
  d.finish();
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream_gap, takes_bytes_that_the_capture_has_just_after_the_answer_to_them) {
  one_direction d;
  d.opened();
  d.ack(3);
  d.ack_with_data(3);
  d.data(0, "abc");
  d.ack_with_data(3);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.missing, 0u);
}

TEST(stream_gap, takes_one_byte_acknowledged_beyond_its_end_for_a_fin_not_captured) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(4);
  d.ack(4);
  d.ack_with_data(4);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream_gap, takes_one_byte_acknowledged_for_missing_when_data_goes_on_after_it) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(4);
  d.data(4, "efg");
  EXPECT_EQ(d.heard, "abc[1]efg");
}

TEST(stream_gap, declares_the_part_cut_off_by_a_snapshot_length_at_once) {
  one_direction d;
  d.opened();
  d.cut(0, "abc", 10);
  EXPECT_EQ(d.heard, "abc[7]");
  d.data(10, "klm");
  EXPECT_EQ(d.heard, "abc[7]klm");
}

TEST(stream_gap, declares_the_part_cut_off_a_held_segment_when_its_turn_comes) {
  one_direction d;
  d.opened();
  d.cut(3, "de", 5);
  d.data(8, "ij");
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcde[3]ij");
}

TEST(stream_gap, fills_a_cut_off_part_from_a_retransmission_while_it_is_held) {
  one_direction d;
  d.opened();
  d.cut(3, "d", 6);
  d.data(5, "fg");
  d.cut(3, "de", 6);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdefg[2]");
}

TEST(stream_gap, keeps_what_is_cut_off_on_both_sides_of_bytes_that_fill_it) {
  one_direction d;
  d.opened();
  d.cut(3, "", 10);
  d.data(5, "fg");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc[2]fg[6]");
}

TEST(stream_gap, loses_no_captured_byte_to_a_part_cut_off_around_it) {
  one_direction d;
  d.opened();
  d.data(6, "g");
  d.cut(3, "d", 8);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcd[2]g[4]");
}

TEST(stream_gap, lists_one_hole_once) {
  one_direction d;
  d.opened();
  for (int i = 0; i < 5; ++i)
    d.cut(i * 10, "", 10);
  d.data(50, "x");
  d.cut(51, "", 10);
  EXPECT_EQ(d.figures.gaps, (std::vector<gap>{{0, 50}, {51, 10}}));
  EXPECT_EQ(d.figures.gap_count, 2u);
  EXPECT_EQ(d.figures.missing, 60u);
}

TEST(stream_gap, bounds_the_list_of_gaps_and_counts_on) {
  one_direction d;
  d.opened();
  const std::int64_t n = 1500;
  for (std::int64_t i = 0; i < n; ++i)
    d.cut(i * 3, "x", 3);
  d.cut(n * 3, "", 7);
  EXPECT_EQ(d.figures.gaps.size(), side_summary::max_gaps);
  EXPECT_EQ(d.figures.gaps.back(), (gap{999 * 3 + 1, 2}));
  EXPECT_EQ(d.figures.gap_count, 1500u);
  EXPECT_EQ(d.figures.missing, 3007u);
}

TEST(stream_gap, delivers_at_once_where_only_one_direction_was_captured) {
  one_direction d;
  d.under_test().start(1000, d.now());
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
  d.data(6, "ghi");
  EXPECT_EQ(d.heard, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc[3]ghi");
}

} // namespace
} // namespace weir
