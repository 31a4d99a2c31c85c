#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using test::one_direction;

constexpr stream_options first_wins{.overlap = overlap_policy::first};
constexpr stream_options last_wins{.overlap = overlap_policy::last};

// -- order ----------------------------------------------------------------------------------------

TEST(stream, delivers_in_order_bytes_at_once_with_their_packets_time) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  const auto time = d.now();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.times, std::vector{time});
  EXPECT_EQ(d.figures.bytes, 3u);
  EXPECT_EQ(d.held(), 0u);
}

TEST(stream, puts_early_segments_after_those_they_follow) {
  one_direction d;
  d.opened();
  d.data(6, "ghi");
  d.data(3, "def");
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdefghi");
  EXPECT_EQ(d.figures.out_of_order, 6u);
  EXPECT_EQ(d.figures.duplicate, 0u);
  EXPECT_EQ(d.held(), 0u);
}

TEST(stream, keeps_each_packets_time_through_reordering) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  const auto early = d.now();
  d.data(0, "abc");
  EXPECT_EQ(d.times, (std::vector{d.now(), early}));
}

TEST(stream, follows_the_sequence_number_over_its_wrap) {
  one_direction d{first_wins, 0xfffffffe};
  d.opened();
  d.data(3, "def");
  d.data(0, "abc");
  d.data(6, "ghi");
  EXPECT_EQ(d.heard, "abcdefghi");
}

TEST(stream, has_offsets_beyond_four_gigabytes) {
  one_direction d;
  d.opened();
  const std::string megabyte(1 << 20, 'x');
  d.on_delivery = [&] { d.heard.clear(), d.times.clear(); };
  const std::int64_t total = (std::int64_t{1} << 32) + (16 << 20);
  for (std::int64_t at = 0; at < total; at += 1 << 20)
    d.data(at, megabyte);
  EXPECT_EQ(d.figures.bytes, static_cast<std::uint64_t>(total));
  d.data(total + 5, "end");
  d.ack(total + 8);
  EXPECT_EQ(d.figures.gaps, (std::vector<gap>{{static_cast<std::uint64_t>(total), 5}}));
}

// -- duplicates and overlaps ----------------------------------------------------------------------

TEST(stream, delivers_a_retransmission_once) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(0, "abc");
  d.data(3, "def");
  d.data(1, "bcde");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.duplicate, 7u);
  EXPECT_EQ(d.figures.conflicting, 0u);
}

TEST(stream, takes_the_new_part_of_a_segment_that_overlaps_delivered_bytes) {
  one_direction d;
  d.opened();
  d.data(0, "abcd");
  d.data(2, "cdef");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.duplicate, 2u);
}

struct overlap_case {
  const char* name;
  std::vector<std::pair<std::int64_t, std::string>> held;
  const char* first;
  const char* last;
  std::uint64_t duplicate;
  std::uint64_t conflicting;
};

class stream_overlap : public testing::TestWithParam<overlap_case> {};

TEST_P(stream_overlap, follows_the_policy_among_held_bytes) {
  const auto& c = GetParam();
  for (const auto& [options, expected] :
       {std::pair{first_wins, c.first}, std::pair{last_wins, c.last}}) {
    one_direction d{options};
    d.opened();
    for (const auto& [offset, text] : c.held)
      d.data(offset, text);
    d.data(0, "-");
    EXPECT_EQ(d.heard, expected);
    EXPECT_EQ(d.figures.duplicate, c.duplicate);
    EXPECT_EQ(d.figures.conflicting, c.conflicting);
  }
}

INSTANTIATE_TEST_SUITE_P(
    all, stream_overlap,
    testing::Values(
        overlap_case{"same", {{1, "abc"}, {1, "abc"}}, "-abc", "-abc", 3, 0},
        overlap_case{"same_range_other_bytes", {{1, "abc"}, {1, "aXY"}}, "-abc", "-aXY", 3, 2},
        overlap_case{"left", {{2, "bcd"}, {1, "ABC"}}, "-Abcd", "-ABCd", 2, 2},
        overlap_case{"right", {{1, "abc"}, {2, "BCD"}}, "-abcD", "-aBCD", 2, 2},
        overlap_case{"inside", {{1, "abcd"}, {2, "BC"}}, "-abcd", "-aBCd", 2, 2},
        overlap_case{"around", {{2, "bc"}, {1, "ABCD"}}, "-AbcD", "-ABCD", 2, 2},
        overlap_case{
            "over_many", {{2, "b"}, {4, "d"}, {6, "f"}, {1, "ABCDEFG"}}, "-AbCdEfG", "-ABCDEFG", 3, 3},
        overlap_case{"touching", {{1, "ab"}, {3, "cd"}}, "-abcd", "-abcd", 0, 0}),
    [](const auto& c) { return c.param.name; });

TEST(stream, never_replaces_delivered_bytes) {
  one_direction d{last_wins};
  d.opened();
  d.data(0, "abc");
  d.data(0, "XYZd");
  EXPECT_EQ(d.heard, "abcd");
  EXPECT_EQ(d.figures.conflicting, 3u);
}

TEST(stream, notices_that_the_real_segment_follows_an_injected_one) {
  one_direction d;
  d.opened();
  const std::string before(5000, '.');
  d.data(0, before);
  d.data(5000, "forged!");
  d.data(5000, "genuine");
  EXPECT_EQ(d.figures.conflicting, 7u);
  EXPECT_EQ(d.figures.duplicate, 7u);
}

TEST(stream, remembers_the_last_eight_kilobytes_delivered) {
  one_direction d;
  d.opened();
  std::string text;
  for (int i = 0; i < 20000; ++i)
    text += static_cast<char>('a' + i % 23);
  for (std::size_t at = 0; at < text.size(); at += 700)
    d.data(static_cast<std::int64_t>(at), std::string_view{text}.substr(at, 700));
  d.data(20000 - 8192, std::string(8192, '*'));
  EXPECT_EQ(d.figures.conflicting, 8192u);
  d.data(20000 - 8192, std::string_view{text}.substr(20000 - 8192));
  EXPECT_EQ(d.figures.conflicting, 8192u);
  d.data(0, std::string(100, '*'));
  EXPECT_EQ(d.figures.conflicting, 8192u) << "too long ago to tell";
}

TEST(stream, charges_its_memory_of_delivered_bytes_and_lets_go_of_it) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  EXPECT_GT(d.budget.used(), 0u);
  EXPECT_LE(d.budget.used(), 512u) << "a short stream pays little";
  d.data(3, std::string(30000, 'x'));
  EXPECT_EQ(d.budget.used(), 8192u);
  d.under_test().relieve();
  EXPECT_EQ(d.budget.used(), 0u);
  d.data(0, "XYZ");
  EXPECT_EQ(d.figures.conflicting, 0u);
  d.data(30003, "def");
  d.data(30003, "dEf");
  EXPECT_EQ(d.figures.conflicting, 1u) << "it remembers again";
}

TEST(stream, keeps_out_of_order_bytes_when_memory_is_short) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  d.under_test().relieve();
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdef");
}

// -- what is data, what is not --------------------------------------------------------------------

TEST(stream, takes_data_on_the_syn) {
  one_direction d;
  d.data(-1, "abc", tcp_flag::syn);
  d.data(3, "def");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream, takes_data_on_a_repeated_syn_once) {
  one_direction d;
  d.data(-1, "abc", tcp_flag::syn);
  d.data(-1, "abc", tcp_flag::syn);
  d.data(0, "abcdef");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.duplicate, 6u);
}

TEST(stream, ignores_the_byte_of_a_keep_alive) {
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

TEST(stream, ignores_the_byte_of_a_keep_alive_after_a_hole) {
  one_direction d{last_wins};
  d.opened();
  d.data(3, "def");
  d.data(5, "?");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.conflicting, 0u);
}

TEST(stream, takes_the_byte_of_a_zero_window_probe_once) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(3, "d");
  d.data(3, "d");
  d.data(3, "def");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream, keeps_urgent_data_in_line) {
  one_direction d;
  d.opened();
  d.data(0, "ab");
  d.data(2, "!", tcp_flag::ack | tcp_flag::urg);
  d.data(3, "cd");
  EXPECT_EQ(d.heard, "ab!cd");
}

TEST(stream, takes_no_text_of_a_reset) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(3, "no such port", tcp_flag::rst | tcp_flag::ack);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 12u);
}

TEST(stream, drops_and_counts_data_beyond_its_fin) {
  one_direction d;
  d.opened();
  d.fin(0, "abc");
  d.data(3, "def");
  d.data(4, "efg");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 6u);
}

TEST(stream, drops_held_data_beyond_a_fin_that_comes_in_order) {
  one_direction d;
  d.opened();
  d.data(5, "xyz");
  d.fin(0, "abc");
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.out_of_window, 3u);
  EXPECT_EQ(d.held(), 0u);
}

TEST(stream, takes_a_fin_out_of_order_and_repeated) {
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

TEST(stream, declares_what_is_missing_before_the_fin) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.fin(10);
  EXPECT_EQ(d.heard, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc[7]");
  EXPECT_EQ(d.figures.missing, 7u);
}

TEST(stream, is_not_ended_by_a_fin_that_data_reaches_across) {
  one_direction d;
  d.opened();
  d.fin(5);
  d.data(0, "abc");
  d.data(3, "defg");
  d.fin(7);
  d.finish();
  EXPECT_EQ(d.heard, "abcdefg");
  EXPECT_EQ(d.figures.out_of_window, 0u);
}

TEST(stream, prefers_a_fin_in_order_to_one_that_was_claimed_ahead) {
  one_direction d;
  d.opened();
  d.fin(50000);
  d.fin(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream, is_not_ended_by_a_fin_beyond_the_window) {
  one_direction d;
  d.opened();
  d.fin(1 << 30);
  d.data(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
}

// -- midstream ------------------------------------------------------------------------------------

TEST(stream, puts_earlier_bytes_before_the_first_captured_until_the_peer_acknowledges) {
  one_direction d;
  d.data(3, "def");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "");
  d.ack(6);
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.gap_count, 0u);
  EXPECT_EQ(d.figures.out_of_order, 3u);
}

TEST(stream, counts_bytes_from_before_a_start_that_is_settled) {
  one_direction d;
  d.data(3, "def");
  d.ack(6);
  d.data(0, "abc");
  d.data(1, "bcdefg");
  EXPECT_EQ(d.heard, "defg");
  EXPECT_EQ(d.figures.out_of_window, 5u);
  EXPECT_EQ(d.figures.duplicate, 3u);
}

TEST(stream, is_not_settled_by_an_acknowledgement_of_its_first_byte_only) {
  one_direction d;
  d.data(3, "def");
  d.ack(3);
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream, holds_no_more_than_64_kilobytes_back_at_its_start) {
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

TEST(stream, flushes_what_is_held_back_at_the_end) {
  one_direction d;
  d.data(0, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream, does_not_wait_where_the_peer_asked_for_just_these_bytes) {
  one_direction d;
  d.ack(0);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream, starts_midstream_without_a_gap) {
  one_direction d;
  d.ack(0);
  d.data(100, "abc");
  d.ack(103);
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.gap_count, 0u);
}

TEST(stream, does_not_start_with_a_keep_alive) {
  one_direction d;
  d.ack(0);
  d.data(-1, "?");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream, starts_where_a_late_syn_says) {
  one_direction d;
  d.data(3, "def");
  d.data(-1, "", tcp_flag::syn);
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream, starts_where_the_answer_to_its_syn_says) {
  one_direction d;
  auto answer = d.at(0, {}, tcp_flag::syn | tcp_flag::ack);
  answer.acknowledgment = answer.sequence;
  d.under_test().acknowledge(answer);
  d.data(3, "def");
  d.finish();
  EXPECT_EQ(d.heard, "[3]def");
}

TEST(stream, starts_where_the_first_acknowledgement_says_if_the_opening_was_seen) {
  one_direction d;
  d.under_test().start_with_acknowledgment();
  d.ack(0);
  d.data(3, "def");
  d.ack(6);
  EXPECT_EQ(d.heard, "[3]def");
}

TEST(stream, is_not_bound_by_a_single_stray_segment_at_its_start) {
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

// -- gaps -----------------------------------------------------------------------------------------

TEST(stream, declares_gaps_at_start_middle_and_end) {
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

TEST(stream, tells_a_gap_with_the_time_of_what_settled_it) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  const auto early = d.now();
  d.ack(6);
  EXPECT_EQ(d.times, (std::vector{d.now(), early}));
}

TEST(stream, settles_only_what_is_acknowledged) {
  one_direction d;
  d.opened();
  d.data(2, "cd");
  d.data(6, "gh");
  d.ack(4);
  EXPECT_EQ(d.heard, "[2]cd");
  d.data(4, "ef");
  EXPECT_EQ(d.heard, "[2]cdefgh");
}

TEST(stream, is_not_moved_by_repeated_acknowledgements) {
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

TEST(stream, counts_what_comes_after_its_gap_was_declared) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  d.ack(6);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "[3]def");
  EXPECT_EQ(d.figures.duplicate, 3u);
}

TEST(stream, declares_acknowledged_bytes_missing_before_the_answer_to_them) {
  one_direction d;
  d.opened();
  d.ack_with_data(100);
  EXPECT_EQ(d.heard, "[100]");
  d.data(100, "abc");
  EXPECT_EQ(d.heard, "[100]abc");
}

TEST(stream, declares_acknowledged_bytes_missing_with_the_second_bare_acknowledgement) {
  one_direction d;
  d.opened();
  d.ack(100);
  EXPECT_EQ(d.heard, "");
  d.ack(100);
  EXPECT_EQ(d.heard, "[100]");
}

TEST(stream, declares_acknowledged_bytes_missing_when_data_goes_on_after_them) {
  one_direction d;
  d.opened();
  d.ack(100);
  d.data(100, "abc");
  EXPECT_EQ(d.heard, "[100]abc");
}

TEST(stream, declares_acknowledged_bytes_missing_at_the_end) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(100);
  d.finish();
  EXPECT_EQ(d.heard, "abc[97]");
}

TEST(stream, takes_bytes_that_the_capture_has_just_after_their_acknowledgement) {
  one_direction d;
  d.opened();
  d.ack(3);
  d.data(0, "abc");
  d.data(3, "def");
  d.ack(6);
  d.finish();
  EXPECT_EQ(d.heard, "abcdef");
}

TEST(stream, takes_one_byte_acknowledged_beyond_its_end_for_a_fin_not_captured) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(4);
  d.ack(4);
  d.ack_with_data(4);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream, takes_one_byte_acknowledged_for_missing_when_data_goes_on_after_it) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(4);
  d.data(4, "efg");
  EXPECT_EQ(d.heard, "abc[1]efg");
}

TEST(stream, declares_the_part_cut_off_by_a_snapshot_length_at_once) {
  one_direction d;
  d.opened();
  d.cut(0, "abc", 10);
  EXPECT_EQ(d.heard, "abc[7]");
  d.data(10, "klm");
  EXPECT_EQ(d.heard, "abc[7]klm");
}

TEST(stream, declares_the_part_cut_off_a_held_segment_when_its_turn_comes) {
  one_direction d;
  d.opened();
  d.cut(3, "de", 5);
  d.data(8, "ij");
  EXPECT_EQ(d.heard, "");
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcde[3]ij");
}

TEST(stream, fills_a_cut_off_part_from_a_retransmission_while_it_is_held) {
  one_direction d;
  d.opened();
  d.cut(3, "d", 6);
  d.data(5, "fg");
  d.cut(3, "de", 6);
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abcdefg[2]");
}

TEST(stream, lists_one_hole_once) {
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

TEST(stream, bounds_the_list_of_gaps_and_counts_on) {
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

TEST(stream, delivers_at_once_where_only_one_direction_was_captured) {
  one_direction d;
  d.under_test().start(1000, d.now());
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
  d.data(6, "ghi");
  EXPECT_EQ(d.heard, "abc");
  d.finish();
  EXPECT_EQ(d.heard, "abc[3]ghi");
}

// -- what is believed -----------------------------------------------------------------------------

TEST(stream, opens_no_hole_for_one_segment_beyond_the_window) {
  for (const bool acknowledged : {false, true}) {
    one_direction d;
    d.opened();
    d.data(0, "abc");
    d.data(1 << 30, "?");
    d.data(3, "def");
    if (acknowledged) d.ack(6);
    d.finish();
    EXPECT_EQ(d.heard, "abcdef");
    EXPECT_EQ(d.figures.out_of_window, 1u);
    EXPECT_EQ(d.figures.missing, 0u);
  }
}

TEST(stream, opens_no_hole_for_one_acknowledgement_beyond_the_window) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack_with_data(1 << 30);
  d.data(3, "def");
  d.ack(6);
  d.ack_with_data((1 << 30) + (1 << 29));
  d.data(6, "ghi");
  d.finish();
  EXPECT_EQ(d.heard, "abcdefghi");
}

TEST(stream, prefers_what_comes_in_the_window_to_what_was_claimed_from_afar) {
  one_direction d;
  d.opened();
  const std::int64_t far = 3 << 20;
  d.data(far, "?");
  const std::string kilobyte(1024, 'x');
  for (std::int64_t at = 0; at < far + 4096; at += 1024)
    d.data(at, kilobyte);
  d.ack(far);
  d.finish();
  EXPECT_EQ(d.heard, std::string(static_cast<std::size_t>(far) + 4096, 'x'));
}

TEST(stream, takes_data_beyond_the_least_window_where_the_real_one_is_larger) {
  one_direction d;
  d.opened();
  d.under_test().peer_window_scale(7);
  d.ack(0, 65535);
  d.data(4 << 20, "abc");
  d.ack((4 << 20) + 3);
  EXPECT_EQ(d.heard, "[4194304]abc");
}

TEST(stream, goes_on_after_seconds_of_traffic_that_no_one_captured) {
  one_direction d;
  d.opened();
  const std::int64_t lost = 300'000'000;
  d.data(0, "before");
  d.ack(6);
  d.data(lost, "after");
  d.ack(lost + 5);
  d.data(lost + 5, "wards");
  EXPECT_EQ(d.heard, "before");
  d.ack(lost + 10);
  EXPECT_EQ(d.heard, "before[299999994]afterwards");
  d.data(lost + 10, "!");
  EXPECT_EQ(d.heard, "before[299999994]afterwards!") << "nothing waits any more";
  EXPECT_EQ(d.figures.out_of_window, 0u);
}

TEST(stream, goes_on_after_a_loss_that_ends_with_acknowledgements) {
  one_direction d;
  d.opened();
  d.data(0, "before");
  d.ack(100'000'000);
  d.ack(100'000'000);
  d.data(100'000'000, "after");
  EXPECT_EQ(d.heard, "before[99999994]after");
}

TEST(stream, goes_on_in_one_direction_only_with_a_sustained_run) {
  one_direction d{{.max_held = 1 << 20}};
  d.opened();
  const std::int64_t lost = 300'000'000;
  const std::string text(1400, 'x');
  d.data(0, "before");
  d.data(lost - 50'000'000, "?");
  std::int64_t at = lost;
  while (d.heard == "before" && at < lost + (4 << 20)) {
    d.data(at, text);
    at += 1400;
  }
  EXPECT_LE(at, lost + (1 << 20) + 1400);
  EXPECT_EQ(d.heard.substr(0, 18), "before[299999994]x");
  EXPECT_EQ(d.delivered, static_cast<std::uint64_t>(at));
  EXPECT_EQ(d.figures.out_of_window, 1u);
  d.data(at, "!");
  EXPECT_EQ(d.heard.back(), '!');
}

TEST(stream, drops_far_data_at_the_limit_where_the_peer_acknowledges_otherwise) {
  one_direction d{{.max_held = 1 << 18}};
  d.opened();
  const std::string text(1400, '?');
  d.data(0, "abc");
  for (std::int64_t i = 0; i < 1000; ++i) {
    d.data((1 << 30) + i * 1400, text);
    d.ack(3);
    ASSERT_LE(d.held(), 1u << 18);
  }
  d.data(3, "def");
  d.finish();
  EXPECT_EQ(d.heard, "abcdef");
  EXPECT_EQ(d.figures.out_of_window, 1'400'000u);
}

// -- limits ---------------------------------------------------------------------------------------

TEST(stream, declares_the_lowest_gap_when_it_may_hold_no_more) {
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

TEST(stream, never_holds_more_than_it_may) {
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

TEST(stream, holds_one_segment_larger_than_it_may_no_longer_than_its_arrival) {
  one_direction d{{.max_held = 100}};
  d.opened();
  d.data(5, std::string(1000, 'x'));
  EXPECT_EQ(d.held(), 0u);
  EXPECT_EQ(d.delivered, 1005u);
}

TEST(stream, stays_fast_with_very_many_tiny_segments_in_the_worst_order) {
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

TEST(stream, charges_held_bytes_to_the_budget_until_they_are_delivered) {
  one_direction d;
  d.opened();
  d.data(1000, std::string(5000, 'x'));
  EXPECT_GE(d.budget.used(), 5000u);
  EXPECT_EQ(d.budget.used(), d.held());
  d.ack(6000);
  d.under_test().relieve();
  EXPECT_EQ(d.budget.used(), 0u);
}

// -- skipping and failure -------------------------------------------------------------------------

TEST(stream, only_counts_what_is_skipped) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(10, "klm");
  d.under_test().skip();
  EXPECT_EQ(d.budget.used(), 0u);
  d.data(3, "def");
  d.fin(13, "nop");
  d.ack(17);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.skipped, 9u);
  EXPECT_EQ(d.figures.missing, 0u);
}

TEST(stream, stops_at_once_when_skipped_within_a_delivery) {
  one_direction d;
  d.opened();
  d.data(5, "fgh");
  d.data(3, "de");
  d.on_delivery = [&] { d.under_test().skip(); };
  d.data(0, "abc");
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.skipped, 5u);
  EXPECT_EQ(d.budget.used(), 0u);
}

TEST(stream, counts_the_payload_of_a_syn_whose_start_made_the_sink_skip) {
  one_direction d;
  d.data(3, "def");
  d.data(0, "abc");
  d.on_delivery = [&] { d.under_test().skip(); };
  d.data(-1, "abc", tcp_flag::syn);
  EXPECT_EQ(d.heard, "abc");
  EXPECT_EQ(d.figures.skipped, 6u);
}

TEST(stream, has_moved_on_when_its_sink_throws) {
  one_direction d;
  d.opened();
  d.data(3, "def");
  d.on_delivery = [] { throw std::runtime_error{"full"}; };
  EXPECT_THROW(d.data(0, "abc"), std::runtime_error);
  d.on_delivery = nullptr;
  d.data(6, "ghi");
  d.finish();
  EXPECT_EQ(d.heard, "abcdefghi");
}

} // namespace
} // namespace weir
