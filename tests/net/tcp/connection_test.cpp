#include <weir/net/tcp/connection.hpp>

#include <gtest/gtest.h>

#include <weir/tests/support/dialogue.hpp>

namespace weir {
namespace {

using test::dialogue;
using verdict = connection::verdict;
using phase = connection::phase;

/// A connection that was given some segments.
connection given(const std::vector<segment>& segments) {
  connection c{segments.front()};
  for (const auto& s : segments)
    c.add(s);
  return c;
}

TEST(connection, is_established_by_the_acknowledgement_that_completes_the_handshake) {
  dialogue d;
  const auto handshake = d.handshake();
  connection c{handshake[0]};
  EXPECT_EQ(c.add(handshake[0]), verdict::count);
  EXPECT_EQ(c.add(handshake[1]), verdict::count);
  EXPECT_EQ(c.state(), phase::half_open);
  EXPECT_EQ(c.add(handshake[2]), verdict::count);
  EXPECT_EQ(c.state(), phase::established);
  EXPECT_FALSE(c.midstream());
  EXPECT_TRUE(c.orderly());
  EXPECT_EQ(c[side::client].initial, 1000u);
  EXPECT_EQ(c[side::server].initial, 5000u);
  EXPECT_EQ(c[side::client].window_scale, 7);
}

TEST(connection, knows_the_client_whatever_the_order_of_the_key) {
  for (const bool client_is_a : {true, false}) {
    dialogue d{40000, 1, 1, client_is_a};
    EXPECT_EQ(given({d.syn()}).client_is_a(), client_is_a);
    EXPECT_EQ(given({d.syn_ack()}).client_is_a(), client_is_a);
    // Midstream the lower port is taken for the server's, whoever speaks first.
    EXPECT_EQ(given({d.data(side::server, 1, 1, "x")}).client_is_a(), client_is_a);
    EXPECT_EQ(given({d.data(side::client, 1, 1, "x")}).client_is_a(), client_is_a);
  }
}

TEST(connection, is_established_midstream_by_payload_but_not_by_an_acknowledgement) {
  dialogue d;
  EXPECT_EQ(given({d.ack(side::client, 1, 1)}).state(), phase::half_open);
  const auto c = given({d.data(side::client, 100, 1, "x")});
  EXPECT_EQ(c.state(), phase::established);
  EXPECT_TRUE(c.midstream());
  EXPECT_FALSE(c.orderly());
}

TEST(connection, keeps_bare_acknowledgements_and_fins_from_the_session_while_all_is_in_order) {
  dialogue d;
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(d.data(side::client, 1, 1, "abc")), verdict::deliver);
  EXPECT_EQ(c.add(d.ack(side::server, 1, 4)), verdict::count);
  EXPECT_EQ(c.add(d.fin(side::client, 4, 1)), verdict::count);
}

TEST(connection, hands_on_everything_while_there_is_a_hole) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.data(side::client, 4, 1, "def"));
  EXPECT_FALSE(c.orderly());
  EXPECT_EQ(c.add(d.ack(side::server, 1, 1)), verdict::deliver);
  EXPECT_EQ(c.add(d.data(side::client, 1, 1, "abc")), verdict::deliver);
  EXPECT_TRUE(c.orderly());
  EXPECT_EQ(c.add(d.ack(side::server, 1, 7)), verdict::count);
}

TEST(connection, does_not_forget_a_second_hole) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.data(side::client, 3, 1, "c"));
  c.add(d.data(side::client, 5, 1, "e"));
  c.add(d.data(side::client, 1, 1, "ab"));
  EXPECT_FALSE(c.orderly());
}

TEST(connection, hands_on_an_acknowledgement_of_bytes_that_were_never_captured) {
  dialogue d;
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(d.ack(side::server, 1, 500)), verdict::deliver);
  EXPECT_FALSE(c.orderly());
}

TEST(connection, is_over_when_both_fins_are_acknowledged) {
  dialogue d;
  const auto all = d.whole("request", "response");
  connection c{all.front()};
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    c.add(all[i]);
    EXPECT_NE(c.state(), phase::over) << i;
  }
  EXPECT_EQ(c.state(), phase::closing);
  c.add(all.back());
  EXPECT_EQ(c.state(), phase::over);
  EXPECT_TRUE(c.orderly());
  EXPECT_FALSE(c.was_reset());
}

TEST(connection, stays_open_for_the_other_side_after_one_fin) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.fin(side::client, 1, 1));
  c.add(d.ack(side::server, 1, 2));
  EXPECT_EQ(c.add(d.data(side::server, 1, 2, "still here")), verdict::deliver);
  EXPECT_EQ(c.state(), phase::closing);
}

TEST(connection, ignores_data_beyond_a_fin) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.fin(side::client, 1, 1));
  EXPECT_EQ(c.add(d.data(side::client, 2, 1, "more")), verdict::ignore);
}

TEST(connection, takes_a_fin_that_overtook_data) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.fin(side::client, 4, 1));
  EXPECT_EQ(c.add(d.data(side::client, 1, 1, "abc")), verdict::deliver);
  c.add(d.fin(side::server, 1, 5));
  c.add(d.ack(side::client, 5, 2));
  EXPECT_EQ(c.state(), phase::over);
}

TEST(connection, is_over_with_a_reset_in_the_window) {
  dialogue d;
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(d.rst(side::server, 1)), verdict::count);
  EXPECT_EQ(c.state(), phase::over);
  EXPECT_TRUE(c.was_reset());
}

TEST(connection, ignores_a_reset_out_of_the_window) {
  dialogue d;
  for (const std::uint32_t sequence : {0x70000000u, 0u - 100000u}) {
    auto c = given(d.handshake());
    EXPECT_EQ(c.add(d.rst(side::server, sequence)), verdict::ignore);
    EXPECT_EQ(c.state(), phase::established);
  }
}

TEST(connection, goes_on_when_who_reset_it_goes_on) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.rst(side::client, 1));
  EXPECT_EQ(c.add(d.data(side::client, 1, 1, "still alive")), verdict::deliver);
  EXPECT_EQ(c.state(), phase::established);
  EXPECT_FALSE(c.was_reset());
}

TEST(connection, is_refused_by_a_reset_that_acknowledges_the_syn) {
  dialogue d;
  auto c = given({d.syn()});
  auto refusal = d.make(side::server, tcp_flag::rst | tcp_flag::ack, 0, 1);
  refusal.sequence = 0;
  c.add(refusal);
  EXPECT_EQ(c.state(), phase::over);
  auto other = given({d.syn()});
  refusal.acknowledgment += 77;
  EXPECT_EQ(other.add(refusal), verdict::ignore);
}

TEST(connection, does_not_believe_a_lone_syn_while_established) {
  dialogue d, forged{40000, 777000};
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(forged.syn()), verdict::ignore);
  EXPECT_EQ(c.add(d.data(side::client, 1, 1, "abc")), verdict::deliver);
  EXPECT_EQ(c.state(), phase::established);
}

TEST(connection, sees_the_next_connection_when_its_syn_is_answered) {
  dialogue d, again{40000, 777000, 888000};
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(again.syn()), verdict::ignore);
  const auto answer = again.syn_ack();
  ASSERT_EQ(c.add(answer), verdict::reused);
  auto n = c.successor(answer);
  EXPECT_EQ(n.add(answer), verdict::count);
  n.add(again.ack(side::client, 1, 1));
  EXPECT_EQ(n.state(), phase::established);
  EXPECT_FALSE(n.midstream());
  EXPECT_TRUE(n.client_is_a());
  EXPECT_EQ(n[side::client].initial, 777000u);
}

TEST(connection, sees_the_next_connection_when_only_one_direction_is_captured) {
  dialogue d, again{40000, 777000, 888000};
  auto c = given({d.syn(), d.data(side::client, 1, 1, "one")});
  EXPECT_EQ(c.add(again.syn()), verdict::ignore);
  const auto first = again.data(side::client, 1, 1, "two");
  ASSERT_EQ(c.add(first), verdict::reused);
  auto n = c.successor(first);
  EXPECT_EQ(n.add(first), verdict::deliver);
  EXPECT_FALSE(n.midstream());
}

TEST(connection, sees_the_next_connection_at_once_when_closing) {
  dialogue d, again{40000, 777000};
  auto c = given(d.handshake());
  c.add(d.fin(side::client, 1, 1));
  EXPECT_EQ(c.add(again.syn()), verdict::reused);
}

TEST(connection, takes_a_retransmitted_syn_for_what_it_is) {
  dialogue d;
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(d.syn()), verdict::count);
  EXPECT_EQ(c.add(d.syn_ack()), verdict::count);
  EXPECT_EQ(c.state(), phase::established);
}

TEST(connection, takes_a_handshake_that_the_capture_has_after_the_data) {
  dialogue d;
  auto c = given({d.data(side::client, 1, 1, "abc")});
  EXPECT_EQ(c.add(d.syn()), verdict::deliver);
  EXPECT_EQ(c[side::client].initial, 1000u);
  EXPECT_EQ(c.state(), phase::established);
}

TEST(connection, opens_simultaneously) {
  dialogue d;
  auto c = given({d.syn()});
  EXPECT_EQ(c.add(d.make(side::server, tcp_flag::syn, 0, 0)), verdict::count);
  c.add(d.make(side::client, tcp_flag::syn | tcp_flag::ack, 0, 1));
  c.add(d.make(side::server, tcp_flag::syn | tcp_flag::ack, 0, 1));
  c.add(d.ack(side::client, 1, 1));
  EXPECT_EQ(c.state(), phase::established);
  EXPECT_TRUE(c.client_is_a());
  EXPECT_FALSE(c.midstream());
}

TEST(connection, infers_the_answer_that_was_not_captured) {
  dialogue d;
  const auto c = given({d.syn(), d.ack(side::client, 1, 1)});
  EXPECT_EQ(c.state(), phase::established);
  EXPECT_EQ(c[side::server].initial, 5000u);
  EXPECT_TRUE(c.orderly());
}

constexpr std::uint32_t far = 100'000'000;

/// Both sides exchange data far ahead, and close there.
void forge_close(connection& c, dialogue& d) {
  c.add(d.data(side::client, far, 2 * far, "x"));
  c.add(d.data(side::server, 2 * far, far + 1, "y"));
  c.add(d.data(side::client, far + 1, 2 * far + 1, "z"));
  c.add(d.fin(side::server, 2 * far + 1, far + 2));
  c.add(d.fin(side::client, far + 2, 2 * far + 2));
  c.add(d.ack(side::server, 2 * far + 2, far + 3));
  c.add(d.ack(side::client, far + 3, 2 * far + 2));
}

TEST(connection, follows_a_jump_that_a_second_segment_confirms) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.data(side::client, far, 1, "x"));
  EXPECT_EQ(c[side::client].next, 1001u);
  c.add(d.data(side::client, far + 1, 1, "y"));
  EXPECT_EQ(c[side::client].next, 1000u + far + 2);
}

constexpr std::uint32_t half_of_all = 1u << 31;

TEST(connection, ignores_an_acknowledgement_from_outside_of_its_senders_window) {
  for (const std::uint32_t away : {1u << 25, half_of_all - 1, half_of_all + 1, ~0u << 25}) {
    dialogue d;
    auto c = given(d.handshake());
    EXPECT_EQ(c.add(d.ack(side::client, 1 + away, 500'000)), verdict::ignore) << away;
    EXPECT_EQ(c[side::server].next, 5001u) << away;
    EXPECT_EQ(c[side::client].acked, 5001u) << away;
    EXPECT_TRUE(c.orderly()) << away;
  }
}

TEST(connection, takes_an_acknowledgement_that_data_sent_after_it_has_overtaken) {
  dialogue d;
  auto c = given(d.handshake());
  const auto overtaken = d.ack(side::client, 1, 1);
  c.add(d.data(side::client, 1, 1, "overtakes"));
  c.add(d.ack(side::server, 1, 10));
  EXPECT_NE(c.add(overtaken), verdict::ignore);
}

TEST(connection, believes_an_acknowledgement_far_ahead_that_a_second_segment_confirms) {
  dialogue d;
  auto c = given(d.handshake());
  EXPECT_EQ(c.add(d.ack(side::client, 100'000'000, 1)), verdict::ignore);
  EXPECT_NE(c.add(d.ack(side::client, 100'000'500, 1)), verdict::ignore);
}

TEST(connection, ignores_fins_from_outside_of_their_senders_window) {
  for (const auto from : both_sides) {
    dialogue d;
    auto c = given(d.handshake());
    EXPECT_EQ(c.add(d.fin(from, 1 - (1u << 25), 1)), verdict::ignore);
    EXPECT_EQ(c.add(d.fin(from, 1 + (1u << 25), 1)), verdict::ignore);
    EXPECT_EQ(c.state(), phase::established);
  }
}

TEST(connection, takes_no_fin_from_data_that_was_there_long_ago) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.make(side::client, tcp_flag::ack | tcp_flag::fin, 1 - (1u << 25), 1, "x"));
  EXPECT_EQ(c.state(), phase::established);
}

TEST(connection, believes_a_fin_far_ahead_that_the_peer_acknowledges) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.fin(side::client, far, 1));
  c.add(d.fin(side::client, far, 1));
  EXPECT_EQ(c.state(), phase::established);
  c.add(d.ack(side::server, 1, far + 1));
  EXPECT_EQ(c.state(), phase::closing);
  c.add(d.fin(side::server, 1, far + 1));
  c.add(d.ack(side::client, far + 1, 2));
  EXPECT_EQ(c.state(), phase::over);
}

TEST(connection, believes_what_is_far_ahead_where_only_one_direction_was_captured) {
  dialogue d;
  for (const bool reset : {false, true}) {
    auto c = given({d.syn(), d.data(side::client, 1, 1, "x")});
    c.add(d.data(side::client, far, 1, "y"));
    c.add(d.data(side::client, far + 1, 1, "z"));
    c.add(reset ? d.rst(side::client, far + 2) : d.fin(side::client, far + 2, 1));
    EXPECT_EQ(c.state(), reset ? phase::over : phase::closing);
  }
}

TEST(connection, is_closing_when_both_sides_close_far_ahead) {
  dialogue d;
  auto c = given(d.handshake());
  forge_close(c, d);
  EXPECT_EQ(c.state(), phase::closing);
}

/// An off-path attacker can make up both sides of a conversation, but not where the real one is.
TEST(connection, is_back_where_it_was_when_either_side_goes_on_there) {
  for (const auto goes_on : both_sides) {
    dialogue d;
    auto c = given(d.handshake());
    c.add(d.data(side::client, 1, 1, "abc"));
    forge_close(c, d);
    if (goes_on == side::client) c.add(d.data(side::client, 4, 1, "def"));
    c.add(d.data(side::server, 1, 4, "xyz"));
    EXPECT_EQ(c.state(), phase::established);
    c.add(d.fin(side::client, goes_on == side::client ? 7 : 4, 4));
    c.add(d.fin(side::server, 4, goes_on == side::client ? 8 : 5));
    EXPECT_EQ(c.state(), phase::closing);
    c.add(d.ack(side::client, goes_on == side::client ? 8 : 5, 5));
    EXPECT_EQ(c.state(), phase::over);
    EXPECT_FALSE(c.was_reset());
  }
}

TEST(connection, is_back_where_it_was_after_several_jumps) {
  dialogue d;
  auto c = given(d.handshake());
  for (const auto at : {far, far + 1, 4 * far, 4 * far + 1})
    c.add(d.data(side::client, at, 1, "x"));
  EXPECT_EQ(c[side::client].next, 1000 + 4 * far + 2);
  c.add(d.data(side::client, 1, 1, "abc"));
  EXPECT_EQ(c[side::client].next, 1004u);
}

TEST(connection, stays_far_ahead_when_segments_come_from_elsewhere) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.data(side::client, far, 1, "x"));
  c.add(d.data(side::client, far + 1, 1, "y"));
  c.add(d.ack(side::client, far / 3, 1));
  EXPECT_EQ(c[side::client].next, 1000 + far + 2);
}

TEST(connection, stays_just_beyond_the_window_when_segments_there_are_reordered) {
  dialogue d;
  auto c = given(d.handshake());
  constexpr std::uint32_t window = (65535u << 7) + (1u << 16);
  c.add(d.data(side::client, window + 1000, 1, "x"));
  c.add(d.data(side::client, window + 1001, 1, "y"));
  c.add(d.data(side::client, window - 1000, 1, "z"));
  EXPECT_EQ(c[side::client].next, 1000 + window + 1002);
}

TEST(connection, hands_on_everything_after_a_jump_that_began_without_data) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.ack(side::client, far, 1));
  c.add(d.data(side::client, far, 1, "x"));
  EXPECT_FALSE(c.orderly());
}

TEST(connection, ignores_a_reset_far_ahead_even_after_segments_that_agree_with_it) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.data(side::server, far, 1, "x"));
  c.add(d.data(side::server, far + 1, 1, "y"));
  EXPECT_EQ(c.add(d.rst(side::server, far + 2)), verdict::ignore);
  EXPECT_EQ(c.state(), phase::established);
}

TEST(connection, takes_no_acknowledgement_of_data_from_outside_of_its_senders_window) {
  dialogue d;
  auto c = given(d.handshake());
  for (std::uint32_t i = 0; i < 3; ++i)
    EXPECT_EQ(c.add(d.data(side::client, far + i, 500 + i, "x")), verdict::deliver);
  EXPECT_EQ(c[side::server].next, 5001u);
  EXPECT_EQ(c.add(d.data(side::client, 1 - far, 500, "x")), verdict::deliver);
  EXPECT_EQ(c[side::server].next, 5001u);
}

TEST(connection, takes_no_window_from_where_its_sender_may_not_be) {
  dialogue d;
  auto c = given(d.handshake());
  auto last = d.ack(side::client, 1, 1);
  last.window = 10;
  c.add(last);
  for (std::uint32_t i = 0; i < 3; ++i)
    c.add(d.data(side::client, far + i, 1, "x"));
  EXPECT_EQ(c.add(d.rst(side::server, 1 << 20)), verdict::ignore);
}

TEST(connection, keeps_a_reset_that_data_from_elsewhere_seems_to_refute) {
  dialogue d;
  auto c = given(d.handshake());
  c.add(d.rst(side::client, 1));
  for (std::uint32_t i = 0; i < 3; ++i)
    c.add(d.data(side::client, far + i, 1, "x"));
  EXPECT_TRUE(c.was_reset());
}

TEST(connection, tells_late_segments_from_new_ones) {
  dialogue d, again{40000, 900'000'000, 900'000'000};
  const auto c = given(d.whole("request", "response"));
  EXPECT_TRUE(c.is_late(d.data(side::client, 1, 1, "request")));
  EXPECT_TRUE(c.is_late(d.fin(side::server, 9, 9)));
  EXPECT_TRUE(c.is_late(d.syn()));
  EXPECT_FALSE(c.is_late(again.syn()));
  EXPECT_FALSE(c.is_late(again.data(side::client, 1, 1, "new")));
}

TEST(connection, wraps_around_the_sequence_space) {
  dialogue d{40000, 0xfffffffe, 0xfffffff0};
  const auto all = d.whole("a request", "a response that is longer than sixteen bytes");
  connection c{all.front()};
  for (const auto& s : all)
    EXPECT_NE(c.add(s), verdict::ignore);
  EXPECT_EQ(c.state(), phase::over);
  EXPECT_TRUE(c.orderly());
}

} // namespace
} // namespace weir
