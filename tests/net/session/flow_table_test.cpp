#include <weir/net/session/flow_table.hpp>

#include <map>
#include <string>

#include <gtest/gtest.h>

#include <weir/tests/support/dialogue.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::dialogue;

/// What the observer was told of one session.
struct heard {
  session_start start;
  std::string payload;
  std::size_t messages = 0;
  std::size_t pressed = 0;
  std::optional<session_end> end;
};

class table_fixture : public ::testing::Test, public flow_observer {
protected:
  void feed(std::vector<segment> segments) {
    packet_block block{0};
    block.shards.resize(1);
    if (!segments.empty()) block.now = segments.back().time;
    block.shards[0].segments = std::move(segments);
    block_ = &block;
    table().process(block, 0);
    block_ = nullptr;
  }

  flow_table& table() {
    if (!table_) table_.emplace(options, *this, budget);
    return *table_;
  }

  void started(std::uint32_t flow, session_start start) override {
    ASSERT_FALSE(living.contains(flow));
    living[flow] = sessions.size();
    sessions.emplace_back();
    sessions.back().start = std::move(start);
  }
  void arrived(std::uint32_t flow, std::uint32_t begin, std::uint32_t count) override {
    take(flow, begin, count);
  }
  void ended(std::uint32_t flow, std::uint32_t begin, std::uint32_t count,
             const session_end& end) override {
    take(flow, begin, count);
    sessions[living.at(flow)].end = end;
    living.erase(flow);
  }
  void pressed(std::uint32_t flow) override { ++sessions[living.at(flow)].pressed; }
  void crowded() override {
    ++crowded_;
    table().evict(1);
    budget.release(excess_);
    excess_ = 0;
  }

  void take(std::uint32_t flow, std::uint32_t begin, std::uint32_t count) {
    ASSERT_TRUE(living.contains(flow));
    auto& s = sessions[living[flow]];
    ++s.messages;
    for (std::uint32_t i = begin; i < begin + count; ++i) {
      const auto& shard = block_->shards[0];
      s.payload += as_text(shard.segments[shard.order[i]].payload());
    }
  }

  flow_options options;
  memory_budget budget{1 << 30};
  std::vector<heard> sessions;
  std::map<std::uint32_t, std::size_t> living;
  const packet_block* block_ = nullptr;
  std::optional<flow_table> table_;
  std::size_t crowded_ = 0;
  /// Of the budget, until someone is asked for it.
  std::size_t excess_ = 0;
};

TEST_F(table_fixture, a_whole_session_in_one_block_is_one_start_and_one_message) {
  dialogue d;
  feed(d.whole("request", "response"));
  ASSERT_EQ(sessions.size(), 1u);
  const auto& s = sessions[0];
  EXPECT_EQ(to_string(s.start.info.client), "10.0.0.1:40000");
  EXPECT_EQ(to_string(s.start.info.server), "10.0.0.2:80");
  EXPECT_EQ(s.start.info.start, timestamp{1000s + 10us});
  EXPECT_FALSE(s.start.info.midstream);
  EXPECT_EQ(s.start.initial[0], 1001u);
  EXPECT_EQ(s.start.initial[1], 5001u);
  EXPECT_EQ(s.payload, "requestresponse");
  EXPECT_EQ(s.messages, 1u);
  ASSERT_TRUE(s.end);
  EXPECT_EQ(s.end->state, session_state::closed);
  EXPECT_EQ(s.end->packets[0], 6u);
  EXPECT_EQ(s.end->packets[1], 4u);
  EXPECT_EQ(table().sessions(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(table_fixture, sessions_that_interleave_are_told_apart_and_once_a_block) {
  dialogue a{40001}, b{40002};
  std::vector<segment> all;
  for (auto* d : {&a, &b}) {
    for (const auto& s : d->handshake())
      all.push_back(s);
  }
  for (const std::uint32_t i : {1u, 2u, 3u}) {
    all.push_back(a.data(side::client, i, 1, "a"));
    all.push_back(b.data(side::client, i, 1, "b"));
  }
  feed(all);
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].payload, "aaa");
  EXPECT_EQ(sessions[1].payload, "bbb");
  EXPECT_EQ(sessions[0].messages, 1u);
  EXPECT_EQ(sessions[1].messages, 1u);
  EXPECT_NE(sessions[0].start.info.id, sessions[1].start.info.id);
}

TEST_F(table_fixture, a_flood_of_syns_starts_no_session_and_stays_within_its_limit) {
  options.max_half_open = 100;
  std::vector<segment> flood;
  for (std::uint32_t i = 0; i < 5000; ++i)
    flood.push_back(dialogue{static_cast<std::uint16_t>(1024 + i), i}.syn());
  feed(flood);
  EXPECT_TRUE(sessions.empty());
  EXPECT_EQ(table().half_open(), 100u);
  EXPECT_EQ(table().counters().half_open_evicted, 4900u);
}

TEST_F(table_fixture, bare_acknowledgements_and_resets_of_unknown_flows_cost_nothing) {
  dialogue d;
  feed({d.ack(side::client, 1, 1), d.rst(side::server, 1), d.fin(side::client, 1, 1)});
  EXPECT_TRUE(sessions.empty());
  EXPECT_EQ(table().half_open(), 0u);
  EXPECT_EQ(table().counters().stray, 3u);
}

TEST_F(table_fixture, late_segments_open_no_new_session) {
  dialogue d;
  feed(d.whole("request", "response"));
  feed({d.data(side::client, 1, 1, "request"), d.fin(side::server, 9, 9),
        d.ack(side::client, 9, 10)});
  EXPECT_EQ(sessions.size(), 1u);
  EXPECT_EQ(table().counters().late, 3u);
  EXPECT_EQ(table().counters().late_bytes, 7u);
}

TEST_F(table_fixture, ports_are_used_again_right_after_a_close) {
  dialogue first, second{40000, 777000, 888000};
  auto all = first.whole("one", "uno");
  second.wait(first.now() - second.now());
  for (const auto& s : second.whole("two", "dos"))
    all.push_back(s);
  feed(all);
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].payload, "oneuno");
  EXPECT_EQ(sessions[1].payload, "twodos");
  EXPECT_EQ(sessions[0].end->state, session_state::closed);
  EXPECT_EQ(sessions[1].end->state, session_state::closed);
}

TEST_F(table_fixture, ports_are_used_again_while_the_old_session_is_open) {
  dialogue first, second{40000, 777000, 888000};
  auto all = first.handshake();
  all.push_back(first.data(side::client, 1, 1, "lost the end of"));
  for (const auto& s : second.whole("two", "dos"))
    all.push_back(s);
  feed(all);
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].payload, "lost the end of");
  EXPECT_EQ(sessions[0].end->state, session_state::reset);
  EXPECT_EQ(sessions[1].payload, "twodos");
  EXPECT_FALSE(sessions[1].start.info.midstream);
}

TEST_F(table_fixture, an_idle_session_times_out_in_packet_time_and_goes_on_midstream) {
  options.idle_timeout = 60s;
  dialogue d;
  auto all = d.handshake();
  all.push_back(d.data(side::client, 1, 1, "before"));
  feed(all);
  d.wait(59s);
  feed({d.data(side::client, 7, 1, " and ")});
  EXPECT_EQ(table().sessions(), 1u);
  d.wait(61s);
  feed({d.data(side::client, 12, 1, "after")});
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].payload, "before and ");
  EXPECT_EQ(sessions[0].end->state, session_state::timeout);
  EXPECT_EQ(sessions[1].payload, "after");
  EXPECT_TRUE(sessions[1].start.info.midstream);
}

TEST_F(table_fixture, other_traffic_makes_idle_sessions_time_out) {
  options.idle_timeout = 60s;
  dialogue quiet{40001}, busy{40002};
  auto all = quiet.handshake();
  for (const auto& s : busy.handshake())
    all.push_back(s);
  feed(all);
  busy.wait(30s);
  feed({busy.data(side::client, 1, 1, "x")});
  EXPECT_EQ(living.size(), 2u);
  busy.wait(45s);
  feed({busy.data(side::client, 2, 1, "y")});
  EXPECT_EQ(living.size(), 1u);
  EXPECT_EQ(sessions[0].end->state, session_state::timeout);
  EXPECT_FALSE(sessions[1].end);
}

TEST_F(table_fixture, the_clock_alone_makes_sessions_time_out) {
  dialogue d;
  feed(d.handshake());
  table().advance(d.now() + options.idle_timeout);
  ASSERT_TRUE(sessions[0].end);
  EXPECT_EQ(sessions[0].end->state, session_state::timeout);
}

TEST_F(table_fixture, a_fin_without_a_reply_closes_after_a_while) {
  dialogue d;
  auto all = d.handshake();
  all.push_back(d.fin(side::client, 1, 1));
  feed(all);
  EXPECT_FALSE(sessions[0].end);
  table().advance(d.now() + options.closing_timeout);
  ASSERT_TRUE(sessions[0].end);
  EXPECT_EQ(sessions[0].end->state, session_state::closed);
}

TEST_F(table_fixture, missing_bytes_are_waited_for_when_the_connection_is_over) {
  dialogue d;
  auto all = d.whole("request", "response");
  const auto late = all[5];
  all.erase(all.begin() + 5);
  feed(all);
  EXPECT_FALSE(sessions[0].end);
  feed({late});
  EXPECT_EQ(sessions[0].payload, "requestresponse");
  table().advance(d.now() + options.linger);
  ASSERT_TRUE(sessions[0].end);
  EXPECT_EQ(sessions[0].end->state, session_state::closed);
}

TEST_F(table_fixture, a_reset_session_ends_as_reset) {
  dialogue d;
  auto all = d.handshake();
  all.push_back(d.data(side::client, 1, 1, "abc"));
  all.push_back(d.rst(side::server, 1));
  feed(all);
  table().advance(d.now() + options.linger);
  ASSERT_TRUE(sessions[0].end);
  EXPECT_EQ(sessions[0].end->state, session_state::reset);
}

TEST_F(table_fixture, payload_on_the_syn_comes_with_the_start) {
  dialogue d;
  feed({d.make(side::client, tcp_flag::syn, 0, 0, "fast")});
  EXPECT_TRUE(sessions.empty());
  EXPECT_EQ(budget.used(), 4u);
  feed({d.make(side::server, tcp_flag::syn | tcp_flag::ack, 0, 5), d.ack(side::client, 5, 1)});
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(as_text(sessions[0].start.syn_payload[0]), "fast");
  EXPECT_EQ(budget.used(), 0u) << "who holds the session is charged for it";
}

TEST_F(table_fixture, payload_on_a_syn_without_an_answer_is_not_lost) {
  dialogue d;
  feed({d.make(side::client, tcp_flag::syn, 0, 0, "fast")});
  table().finish();
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(as_text(sessions[0].start.syn_payload[0]), "fast");
  EXPECT_EQ(sessions[0].end->state, session_state::open);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(table_fixture, a_flood_of_syns_with_payload_is_bounded_too) {
  options.max_half_open = 1000;
  options.max_syn_payload = 100;
  std::vector<segment> flood;
  for (std::uint32_t i = 0; i < 500; ++i)
    flood.push_back(dialogue{static_cast<std::uint16_t>(1024 + i), i}.make(
        side::client, tcp_flag::syn, 0, 0, "0123456789"));
  feed(flood);
  EXPECT_TRUE(sessions.empty());
  EXPECT_EQ(budget.used(), 100u);
  EXPECT_EQ(table().counters().syn_payload_dropped, 4900u);
}

TEST_F(table_fixture, without_midstream_only_handshakes_count) {
  options.midstream = false;
  dialogue a{40001}, b{40002};
  auto all = a.handshake();
  all.push_back(a.data(side::client, 1, 1, "a"));
  all.push_back(b.data(side::client, 1, 1, "b"));
  feed(all);
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions[0].payload, "a");
  EXPECT_EQ(table().counters().midstream_ignored, 1u);
}

TEST_F(table_fixture, in_a_block_of_many_sessions_the_active_ones_survive_the_limit) {
  options.max_sessions = 10;
  dialogue active{1};
  auto all = active.handshake();
  std::string said;
  for (std::uint16_t other = 2; other < 200; ++other) {
    dialogue d{other};
    for (auto& s : d.handshake())
      all.push_back(s);
    all.push_back(active.data(side::client, static_cast<std::uint32_t>(1 + said.size()), 1, "x"));
    said += 'x';
  }
  feed(std::move(all));
  EXPECT_EQ(table().sessions(), 10u);
  EXPECT_FALSE(sessions[0].end);
  EXPECT_EQ(sessions[0].payload, said);
  EXPECT_EQ(table().counters().ended[static_cast<std::size_t>(session_state::evicted)], 189u);
}

TEST_F(table_fixture, without_memory_in_the_middle_of_a_block_what_was_read_is_told_at_once) {
  excess_ = budget.limit();
  budget.charge(excess_);
  dialogue first{1};
  dialogue second{2};
  auto all = first.handshake();
  for (auto& s : second.handshake())
    all.push_back(s);
  std::string said;
  while (all.size() < 10'000) {
    all.push_back(second.data(side::client, static_cast<std::uint32_t>(1 + said.size()), 1, "y"));
    said += 'y';
  }
  feed(std::move(all));
  EXPECT_EQ(crowded_, 1u);
  ASSERT_TRUE(sessions[0].end);
  EXPECT_EQ(sessions[0].end->state, session_state::evicted);
  EXPECT_FALSE(sessions[1].end);
  EXPECT_EQ(sessions[1].payload, said);
  EXPECT_EQ(sessions[1].messages, 2u);
}

TEST_F(table_fixture, when_abandoned_all_sessions_fail_for_the_reason_given) {
  dialogue d;
  auto all = d.handshake();
  all.push_back(d.data(side::client, 1, 1, "abc"));
  feed(all);
  table().abandon("a reason");
  ASSERT_TRUE(sessions[0].end);
  EXPECT_EQ(sessions[0].end->state, session_state::failed);
  EXPECT_EQ(sessions[0].end->failure, "a reason");
  EXPECT_EQ(sessions[0].payload, "abc");
  EXPECT_EQ(table().sessions(), 0u);
}

TEST_F(table_fixture, counts_handshakes_that_the_end_left_unfinished) {
  dialogue d;
  feed({d.syn()});
  table().finish();
  EXPECT_EQ(table().counters().half_open_unfinished, 1u);
}

TEST_F(table_fixture, beyond_the_limit_the_longest_idle_session_is_evicted) {
  options.max_sessions = 2;
  dialogue a{40001}, b{40002}, c{40003};
  feed(a.handshake());
  feed(b.handshake());
  feed({a.data(side::client, 1, 1, "a")});
  feed(c.handshake());
  ASSERT_EQ(sessions.size(), 3u);
  EXPECT_FALSE(sessions[0].end);
  ASSERT_TRUE(sessions[1].end);
  EXPECT_EQ(sessions[1].end->state, session_state::evicted);
  EXPECT_FALSE(sessions[2].end);
}

TEST_F(table_fixture, pressure_goes_to_the_longest_idle_sessions_that_had_data_first) {
  dialogue a{40001}, b{40002}, c{40003};
  feed(a.handshake());
  feed(b.handshake());
  feed(c.handshake());
  feed({a.data(side::client, 1, 1, "aaaa")});
  feed({c.data(side::client, 1, 1, "cccc")});
  table().press(4);
  EXPECT_EQ(sessions[0].pressed, 1u);
  EXPECT_EQ(sessions[1].pressed, 0u);
  EXPECT_EQ(sessions[2].pressed, 0u);
  table().press(100);
  EXPECT_EQ(sessions[0].pressed, 1u);
  EXPECT_EQ(sessions[2].pressed, 1u);
  table().evict(1);
  ASSERT_TRUE(sessions[1].end);
  EXPECT_EQ(sessions[1].end->state, session_state::evicted);
  EXPECT_FALSE(sessions[0].end);
}

TEST_F(table_fixture, the_end_of_the_capture_ends_all_as_open) {
  dialogue a{40001}, b{40002};
  feed(a.handshake());
  auto closing = b.handshake();
  closing.push_back(b.fin(side::client, 1, 1));
  closing.push_back(b.fin(side::server, 1, 2));
  feed(closing);
  feed({dialogue{40003}.syn()});
  table().finish();
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].end->state, session_state::open);
  EXPECT_EQ(sessions[1].end->state, session_state::closed);
  EXPECT_EQ(table().half_open() + table().closed() + table().sessions(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(table_fixture, ids_are_the_same_on_every_run) {
  const auto run = [this] {
    table_.reset();
    sessions.clear();
    feed(dialogue{}.whole("request", "response"));
    return sessions.at(0).start.info.id;
  };
  EXPECT_EQ(run(), run());
}

TEST_F(table_fixture, a_clock_that_goes_back_does_no_harm) {
  dialogue d, early{40002};
  early.wait(-900s);
  feed(d.handshake());
  feed(early.whole("request", "response"));
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[1].payload, "requestresponse");
  EXPECT_FALSE(sessions[0].end);
}

TEST_F(table_fixture, closed_flows_are_remembered_within_a_limit_and_for_a_time) {
  options.max_closed = 10;
  dialogue last;
  for (std::uint16_t i = 0; i < 50; ++i) {
    last = dialogue{static_cast<std::uint16_t>(40000 + i)};
    feed(last.whole("a", "b"));
  }
  EXPECT_EQ(table().closed(), 10u);
  table().advance(last.now() + options.closed_timeout);
  EXPECT_EQ(table().closed(), 0u);
}

} // namespace
} // namespace weir
