#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

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
    testing::Values(overlap_case{"same", {{1, "abc"}, {1, "abc"}}, "-abc", "-abc", 3, 0},
                    overlap_case{
                        "same_range_other_bytes", {{1, "abc"}, {1, "aXY"}}, "-abc", "-aXY", 3, 2},
                    overlap_case{"left", {{2, "bcd"}, {1, "ABC"}}, "-Abcd", "-ABCd", 2, 2},
                    overlap_case{"right", {{1, "abc"}, {2, "BCD"}}, "-abcD", "-aBCD", 2, 2},
                    overlap_case{"inside", {{1, "abcd"}, {2, "BC"}}, "-abcd", "-aBCd", 2, 2},
                    overlap_case{"around", {{2, "bc"}, {1, "ABCD"}}, "-AbcD", "-ABCD", 2, 2},
                    overlap_case{"over_many",
                                 {{2, "b"}, {4, "d"}, {6, "f"}, {1, "ABCDEFG"}},
                                 "-AbCdEfG",
                                 "-ABCDEFG",
                                 3,
                                 3},
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
