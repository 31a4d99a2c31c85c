#include <gtest/gtest.h>

#include <string>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using test::one_direction;

TEST(stream_belief, opens_no_hole_for_one_segment_beyond_the_window) {
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

TEST(stream_belief, opens_no_hole_for_one_acknowledgement_beyond_the_window) {
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

TEST(stream_belief, is_not_moved_by_unlike_acknowledgements_beyond_the_window) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.ack(1 << 29);
  d.ack(1 << 30);
  d.ack(3);
  d.ack(1 << 30);
  d.finish();
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream_belief, prefers_what_is_held_in_the_window_to_what_was_claimed_from_afar) {
  one_direction d;
  d.opened();
  const std::size_t far = 3'000'000;
  d.data(far, "?");
  const std::string kilobyte(1000, 'x');
  for (std::size_t at = 0; at + 1000 < far; at += 1000)
    d.data(static_cast<std::int64_t>(at), kilobyte);
  d.data(far - 500, std::string(1000, 'y'));
  d.ack(far + 500);
  EXPECT_EQ(d.heard.substr(far - 1000), "[500]" + std::string(1000, 'y'));
  EXPECT_EQ(d.figures.conflicting, 1u);
}

TEST(stream_belief, delivers_at_the_end_what_was_claimed_from_afar_and_follows_without_a_hole) {
  one_direction d;
  d.opened();
  const std::size_t far = 2 << 20;
  d.data(far, "end");
  for (std::size_t at = 0; at < far; at += 1 << 18)
    d.data(static_cast<std::int64_t>(at), std::string(1 << 18, 'x'));
  d.finish();
  EXPECT_EQ(d.heard.substr(far), "end");
  EXPECT_EQ(d.figures.out_of_window, 0u);
}

TEST(stream_belief, knows_the_end_from_a_fin_that_came_before_the_stream_was_found_again) {
  one_direction d;
  d.opened();
  const std::int64_t lost = 100'000'000;
  d.data(lost, "after");
  d.fin(lost + 8);
  d.ack(lost + 5);
  d.ack(lost + 5);
  d.finish();
  EXPECT_EQ(d.heard, "[100000000]after[3]");
}

TEST(stream_belief, prefers_what_comes_in_the_window_to_what_was_claimed_from_afar) {
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

TEST(stream_belief, takes_data_beyond_the_least_window_where_the_real_one_is_larger) {
  one_direction d;
  d.opened();
  d.under_test().peer_window_scale(7);
  d.ack(0, 65535);
  d.data(4 << 20, "abc");
  d.ack((4 << 20) + 3);
  EXPECT_EQ(d.heard, "[4194304]abc");
}

TEST(stream_belief, goes_on_after_seconds_of_traffic_that_no_one_captured) {
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

TEST(stream_belief, goes_on_after_a_loss_that_ends_with_acknowledgements) {
  one_direction d;
  d.opened();
  d.data(0, "before");
  d.ack(100'000'000);
  d.ack(100'000'000);
  d.data(100'000'000, "after");
  EXPECT_EQ(d.heard, "before[99999994]after");
}

TEST(stream_belief, goes_on_in_one_direction_only_with_a_sustained_run) {
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

TEST(stream_belief, drops_far_data_at_the_limit_where_the_peer_acknowledges_otherwise) {
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

// -- segments that agree with each other ----------------------------------------------------------

constexpr std::int64_t afar = 1 << 30;
const std::string run(128 << 10, '?');

TEST(stream_belief, forgets_a_sustained_run_when_data_goes_on_where_it_was) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  for (int round = 0; round < 3; ++round) {
    d.data(afar, run);
    d.claim(afar + 1);
    d.claim(afar + 2);
    d.data(3 + 3 * round, "def");
  }
  d.finish();
  EXPECT_EQ(d.heard, "abcdefdefdef");
  EXPECT_EQ(d.figures.out_of_window, 3 * run.size());
}

TEST(stream_belief, forgets_a_sustained_run_when_its_sender_acknowledges_where_it_was) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.data(afar, run);
  d.data(3, "");
  d.finish();
  EXPECT_EQ(d.heard, "abc");
}

TEST(stream_belief, does_not_add_up_runs_from_before_and_after_their_refutation) {
  one_direction d;
  d.opened();
  for (int i = 0; i < 64; ++i) {
    d.data(afar + i * 2000, std::string(2000, '?'));
    d.data(i, "x");
  }
  d.data(afar + 128'000, "?");
  d.finish();
  EXPECT_EQ(d.heard, std::string(64, 'x'));
}

TEST(stream_belief, finds_data_that_the_peer_acknowledges_from_afar) {
  one_direction d;
  d.opened();
  d.data(0, "before");
  d.data(afar, "after");
  d.claim(afar + 5);
  d.data(afar + 5, "wards");
  EXPECT_EQ(d.heard, "before");
  d.claim(afar + 10);
  d.finish();
  EXPECT_EQ(d.heard, "before[1073741818]afterwards");
}

TEST(stream_belief, finds_no_data_by_claims_that_do_not_fit) {
  for (const std::int64_t off : {-1, 2 << 20, -(2 << 20), 1 << 29}) {
    one_direction d;
    d.opened();
    d.data(0, "before");
    d.data(afar, "?");
    d.claim(afar + off);
    d.claim(afar + off);
    d.finish();
    EXPECT_EQ(d.heard, "before") << off;
    EXPECT_EQ(d.figures.out_of_window, 1u);
  }
}

TEST(stream_belief, finds_no_data_by_a_single_claim_or_unlike_ones) {
  one_direction d;
  d.opened();
  d.data(0, "before");
  d.data(afar, "?");
  d.claim(afar - (2 << 20));
  d.claim(afar + 1);
  d.claim(afar - (1 << 19));
  d.finish();
  EXPECT_EQ(d.heard, "before");
}

TEST(stream_belief, finds_no_data_by_claims_that_were_refuted) {
  for (const int after : {0, 1}) {
    one_direction d;
    d.opened();
    d.data(0, "before");
    d.data(afar, "?");
    for (int i = after; i < 2; ++i)
      d.claim(afar + 1);
    d.data(6, ", and on");
    d.data(afar, "?");
    for (int i = 0; i < after; ++i)
      d.claim(afar + 1);
    d.finish();
    EXPECT_EQ(d.heard, "before, and on");
  }
}

TEST(stream_belief, takes_no_end_from_a_fin_that_was_refuted) {
  one_direction d;
  d.opened();
  d.data(0, "abc");
  d.fin(afar, "?");
  d.data(3, "def");
  d.data(afar - 10, "after");
  d.ack(afar - 5);
  d.ack(afar - 5);
  d.data(afar - 5, "wards,");
  d.data(afar + 1, " and on");
  d.finish();
  EXPECT_EQ(d.heard, "abcdef[1073741808]afterwards, and on");
}

TEST(stream_belief, knows_what_is_in_place) {
  one_direction d;
  EXPECT_TRUE(d.under_test().in_place(d.at(afar))) << "nothing is known yet";
  d.opened();
  d.data(0, "abc");
  EXPECT_TRUE(d.under_test().in_place(d.at(3)));
  EXPECT_TRUE(d.under_test().in_place(d.at(3 + (1 << 20))));
  EXPECT_FALSE(d.under_test().in_place(d.at(3 + (1 << 20), "x")));
  EXPECT_TRUE(d.under_test().in_place(d.at(3 - (1 << 20))));
  EXPECT_FALSE(d.under_test().in_place(d.at(2 - (1 << 20))));
  EXPECT_FALSE(d.under_test().in_place(d.at(afar)));
  EXPECT_FALSE(d.under_test().in_place(d.at(-afar)));
}

} // namespace
} // namespace weir
