#include <gtest/gtest.h>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using test::one_direction;

constexpr stream_options last_wins{.overlap = overlap_policy::last};

TEST(stream_content, takes_data_on_the_syn) {
  one_direction d;
  d.data(-1, "abc", tcp_flag::syn);
  d.data(3, "def");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream_content, takes_data_on_a_repeated_syn_once) {
  one_direction d;
  d.data(-1, "abc", tcp_flag::syn);
  d.data(-1, "abc", tcp_flag::syn);
  d.data(0, "abcdef");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.duplicate, 6u);
}

TEST(stream_content, ignores_the_byte_of_a_keep_alive) {
  one_direction d;
  d.opened();
  d.data(-1, "?");
  d.data(0, "abc");
  d.data(2, "?");
  d.data(2, "");
  d.data(3, "def");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.conflicting, 0u);
  EXPECT_EQ(d.figures.out_of_window, 0u);
}

TEST(stream_content, ignores_the_byte_of_a_keep_alive_after_a_hole) {
  one_direction d{last_wins};
  d.opened();
  d.data(3, "def");
  d.data(5, "?");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.conflicting, 0u);
}

TEST(stream_content, takes_the_byte_of_a_zero_window_probe_once) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(3, "d");
  d.data(3, "d");
  d.data(3, "def");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream_content, keeps_urgent_data_in_line) {
  one_direction d;
  d.opened();
  d.data(0, "ab");
  d.data(2, "!", tcp_flag::ack | tcp_flag::urg);
  d.data(3, "cd");
  EXPECT_EQ(d.heard, "ab!cd");
}

TEST(stream_content, takes_no_text_of_a_reset) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(3, "no such port", tcp_flag::rst | tcp_flag::ack);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 12u);
}

TEST(stream_content, drops_and_counts_data_beyond_its_fin) {
  one_direction d;
  d.opened();
  d.fin(0, "abc");
  d.data(3, "def");
  d.data(4, "efg");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 6u);
}

TEST(stream_content, drops_held_data_beyond_a_fin_that_comes_in_order) {
  one_direction d;
  d.opened();
  d.data(5, "xyz");
  d.fin(0, "abc");
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 3u);
  EXPECT_EQ(d.held(), 0u);
}

TEST(stream_content, takes_a_fin_out_of_order_and_repeated) {
  one_direction d;
  d.opened();
  d.fin(6);
  d.data(3, "def");
  d.data(0, "abc");
  d.fin(6);
  d.fin(3, "def");
  d.ack(7);
  d.finish();
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream_content, declares_what_is_missing_before_the_fin) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.fin(10);
  EXPECT_EQ(d.heard, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc[7]");
  EXPECT_EQ(d.figures.missing, 7u);
}

TEST(stream_content, is_not_ended_by_a_fin_that_data_reaches_across) {
  one_direction d;
  d.opened();
  d.fin(5);
  d.data(0, "abc");
  d.data(3, "defg");
  d.data(7, "hi");
  d.fin(9);
  d.finish();
  EXPECT_EQ(d.heard, "abcdefghi");
  EXPECT_EQ(d.figures.out_of_window, 0u);
}

TEST(stream_content, drops_what_is_held_beyond_a_fin_when_all_before_it_has_come) {
  one_direction d;
  d.opened();
  d.fin(6);
  d.data(6, "xyz");
  d.data(3, "def");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.out_of_window, 3u);
}

TEST(stream_content, is_not_ended_by_a_fin_before_data_that_is_held) {
  one_direction d;
  d.opened();
  d.data(6, "ghi");
  d.fin(3);
  d.data(0, "abc");
  d.data(3, "def");
  EXPECT_EQ(d.heard, "abcdefghi");
}

TEST(stream_content, prefers_a_fin_in_order_to_one_that_was_claimed_ahead) {
  one_direction d;
  d.opened();
  d.fin(50000);
  d.fin(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream_content, is_not_ended_by_a_fin_beyond_the_window) {
  one_direction d;
  d.opened();
  d.fin(1 << 30);
  d.data(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
}

} // namespace
} // namespace weir
