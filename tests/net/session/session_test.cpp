#include <weir/net/session/session.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include <weir/tests/support/dialogue.hpp>

namespace weir {
namespace {

using test::dialogue;
using verdict = accumulator::verdict;

/// What an accumulator was told. Outlives it.
struct transcript {
  /// `c:` or `s:` before each change of side, `[n]` for a gap.
  std::string heard;
  std::optional<side> last;
  int starts = 0;
  int ends = 0;
  int pressures = 0;
  bool destroyed = false;
  std::vector<timestamp> times;
  session_summary summary;

  std::function<verdict()> on_start;
  std::function<verdict(std::string_view)> on_data;
  std::function<verdict()> on_gap;
  std::function<void()> on_end;
};

class scribe final : public accumulator {
public:
  explicit scribe(transcript& t) : to_(&t) {}
  ~scribe() override { to_->destroyed = true; }

  verdict on_start(const session_info&) override {
    ++to_->starts;
    return to_->on_start ? to_->on_start() : verdict::more;
  }
  verdict on_data(side from, bytes_view bytes, timestamp time) override {
    EXPECT_EQ(to_->starts, 1);
    EXPECT_EQ(to_->ends, 0);
    note(from, as_text(bytes), time);
    return to_->on_data ? to_->on_data(as_text(bytes)) : verdict::more;
  }
  verdict on_gap(side from, const gap& missing, timestamp time) override {
    note(from, fmt::format("[{}]", missing.length), time);
    return to_->on_gap ? to_->on_gap() : verdict::more;
  }
  void on_end(const session_summary& summary) override {
    ++to_->ends;
    to_->summary = summary;
    if (to_->on_end) to_->on_end();
  }
  void on_pressure() override { ++to_->pressures; }

private:
  void note(side from, std::string_view what, timestamp time) {
    if (to_->last != from) to_->heard += from == side::client ? "c:" : "s:";
    to_->last = from;
    to_->heard += what;
    to_->times.push_back(time);
  }

  transcript* to_;
};

/// A session and what its accumulator heard. The client's first byte is 1, as in `dialogue`.
struct fixture {
  explicit fixture(session_options options = {}, bool handshake_seen = true,
                   bool client_is_a = true)
      : d{40000, 1000, 5000, client_is_a} {
    session_start start;
    start.client_is_a = client_is_a;
    start.info.midstream = !handshake_seen;
    start.info.start = d.now();
    if (handshake_seen) {
      start.has_initial = {true, true};
      start.initial = {1001, 5001};
      start.window_scale = {7, 7};
    }
    open(std::move(start), options);
  }
  void open(session_start start, session_options options = {}) {
    s = std::make_unique<session>(std::move(start), options, budget, std::make_unique<scribe>(t));
  }
  session_end end(session_state state = session_state::closed) {
    return {.state = state, .time = d.now(), .packets = {3, 4}};
  }
  session_end failure(std::string why) {
    auto e = end();
    e.failure = std::move(why);
    return e;
  }
  const side_summary& client() const { return t.summary[side::client]; }
  const side_summary& server() const { return t.summary[side::server]; }

  dialogue d;
  transcript t;
  memory_budget budget{1 << 30};
  std::unique_ptr<session> s;
};

TEST(session, tells_a_whole_conversation_in_order) {
  fixture f;
  for (const auto& segment : f.d.whole("request", "response"))
    f.s->add(segment);
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:requests:response");
  EXPECT_EQ(f.t.starts, 1);
  EXPECT_EQ(f.t.ends, 1);
  EXPECT_EQ(f.t.summary.state, session_state::closed);
  EXPECT_EQ(f.t.summary.end, f.d.now());
  EXPECT_EQ(f.client().packets, 3u);
  EXPECT_EQ(f.server().packets, 4u);
  EXPECT_EQ(f.client().bytes, 7u);
  EXPECT_EQ(f.server().bytes, 8u);
  EXPECT_EQ(f.server().gap_count, 0u);
}

TEST(session, knows_the_client_whichever_end_of_the_key_it_is) {
  fixture f{{}, true, false};
  for (const auto& segment : f.d.whole("request", "response"))
    f.s->add(segment);
  EXPECT_EQ(f.t.heard, "c:requests:response");
}

TEST(session, does_not_need_bare_acknowledgements) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  f.s->add(f.d.data(side::server, 1, 7, "xyz"));
  EXPECT_EQ(f.t.heard, "c:abcdefs:xyz");
}

TEST(session, passes_the_end_through) {
  for (const auto state : {session_state::closed, session_state::reset, session_state::timeout,
                           session_state::evicted, session_state::open}) {
    fixture f;
    f.s->add(f.d.data(side::client, 1, 1, "abc"));
    f.s->finish(f.end(state));
    EXPECT_EQ(f.t.summary.state, state);
    EXPECT_EQ(f.t.summary.failure, "");
  }
}

TEST(session, shows_what_the_dispatcher_kept_from_it) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  auto end = f.end();
  end.out_of_window = {11, 22};
  f.s->finish(end);
  EXPECT_EQ(f.client().out_of_window, 11u);
  EXPECT_EQ(f.server().out_of_window, 22u);
}

TEST(session, without_any_segment_still_starts_and_ends) {
  fixture f;
  f.s->finish(f.end());
  EXPECT_EQ(f.t.starts, 1);
  EXPECT_EQ(f.t.ends, 1);
}

TEST(session, destroys_its_accumulator_and_returns_all_memory) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::client, 9, 1, "ijk"));
  EXPECT_GT(f.budget.used(), 0u);
  f.s.reset();
  EXPECT_TRUE(f.t.destroyed);
  EXPECT_EQ(f.budget.used(), 0u);
}

// -- opening --------------------------------------------------------------------------------------

TEST(session, tells_the_payload_of_syns_first_and_once) {
  fixture f;
  session_start start;
  start.has_initial = {true, true};
  start.initial = {1001, 5001};
  for (const char c : {'a', 'b', 'c'})
    start.syn_payload[0].push_back(static_cast<std::byte>(c));
  start.syn_payload[1].push_back(std::byte{'x'});
  f.open(std::move(start));
  f.s->add(f.d.make(side::client, tcp_flag::syn, 0, 0, "abc"));
  f.s->add(f.d.data(side::client, 1, 2, "abcdef"));
  EXPECT_EQ(f.t.heard, "c:abcs:xc:def");
}

TEST(session, takes_payload_of_a_syn_given_as_a_segment) {
  fixture f{{}, false};
  f.s->add(f.d.make(side::client, tcp_flag::syn, 0, 0, "abc"));
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  EXPECT_EQ(f.t.heard, "c:abcdef");
}

TEST(session, declares_a_lost_start_where_only_the_peers_syn_was_seen) {
  fixture f{{}, false};
  session_start start;
  start.has_initial = {true, false};
  start.initial = {1001, 0};
  f.open(std::move(start));
  f.s->add(f.d.data(side::client, 1, 1, "request"));
  f.s->add(f.d.data(side::server, 4, 8, "response"));
  f.s->add(f.d.ack(side::client, 8, 12));
  EXPECT_EQ(f.t.heard, "c:requests:[3]response");
}

TEST(session, orders_what_was_held_back_midstream_by_acknowledgements) {
  fixture f{{}, false};
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::server, 1, 7, "xyz"));
  EXPECT_EQ(f.t.heard, "c:abcdefs:xyz");
  f.s->finish(f.end());
  EXPECT_EQ(f.client().gap_count, 0u);
}

TEST(session, flushes_the_side_first_that_waited_longer) {
  fixture f{{}, false};
  auto question = f.d.make(side::server, 0, 1, 0, "220");
  auto answer = f.d.make(side::client, 0, 1, 0, "EHLO");
  f.s->add(question);
  f.s->add(answer);
  EXPECT_EQ(f.t.heard, "");
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "s:220c:EHLO");
}

// -- closing --------------------------------------------------------------------------------------

TEST(session, delivers_data_after_the_other_sides_fin) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "request"));
  f.s->add(f.d.fin(side::client, 8, 1));
  f.s->add(f.d.data(side::server, 1, 9, "long "));
  f.s->add(f.d.data(side::server, 6, 9, "response"));
  f.s->add(f.d.fin(side::server, 14, 9));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:requests:long response");
  EXPECT_EQ(f.client().gap_count + f.server().gap_count, 0u);
}

TEST(session, does_not_take_the_acknowledgement_of_a_fin_not_given_for_a_lost_byte) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "request"));
  f.s->add(f.d.data(side::server, 1, 9, "long "));
  f.s->add(f.d.data(side::server, 6, 9, "response"));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:requests:long response");
  EXPECT_EQ(f.client().missing, 0u);
}

TEST(session, ignores_the_numbers_and_the_text_of_a_reset) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "request"));
  f.s->add(f.d.make(side::server, tcp_flag::rst | tcp_flag::ack, 1, 5000, "go away"));
  f.s->finish(f.end(session_state::reset));
  EXPECT_EQ(f.t.heard, "c:request");
  EXPECT_EQ(f.client().missing, 0u);
  EXPECT_EQ(f.server().out_of_window, 7u);
}

TEST(session, tells_a_gap_before_answers_that_come_later) {
  fixture f;
  f.s->add(f.d.data(side::server, 1, 101, "first"));
  f.d.wait(std::chrono::milliseconds{10});
  f.s->add(f.d.data(side::server, 6, 101, "second"));
  EXPECT_EQ(f.t.heard, "s:firstc:[100]s:second");
  EXPECT_EQ(f.t.times[1], f.d.now());
}

TEST(session, takes_a_request_that_the_capture_has_after_its_response) {
  fixture f;
  f.s->add(f.d.data(side::server, 1, 8, "response"));
  f.s->add(f.d.data(side::client, 1, 1, "request"));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "s:responsec:request");
  EXPECT_EQ(f.client().missing, 0u);
}

TEST(session, settles_both_sides_at_the_end) {
  fixture f;
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  f.s->add(f.d.data(side::server, 3, 1, "xyz"));
  f.s->add(f.d.fin(side::server, 10, 1));
  f.s->finish(f.end(session_state::timeout));
  EXPECT_EQ(f.t.heard, "c:[3]defs:[2]xyz[4]");
  EXPECT_EQ(f.server().gaps, (std::vector<gap>{{0, 2}, {5, 4}}));
  EXPECT_EQ(f.server().missing, 6u);
  EXPECT_EQ(f.client().missing, 3u);
}

TEST(session, uses_the_scale_of_the_receivers_window) {
  // 65535 << 7 is 8 MiB; unscaled it would be the least that is plausible, 1 MiB.
  for (const bool scaled : {true, false}) {
    fixture f;
    session_start start;
    start.has_initial = {true, true};
    start.initial = {1001, 5001};
    start.window_scale = {7, scaled ? std::uint8_t{7} : segment::no_scale};
    f.open(std::move(start));
    f.s->add(f.d.ack(side::server, 1, 1));
    f.s->add(f.d.data(side::client, 1 + (4 << 20), 1, "far"));
    f.s->finish(f.end());
    EXPECT_EQ(f.t.heard, scaled ? "c:[4194304]far" : "");
    EXPECT_EQ(f.client().out_of_window, scaled ? 0u : 3u);
  }
}

// -- what is forged, and what was lost ------------------------------------------------------------

constexpr std::uint32_t far = 1 << 29;

TEST(session, does_not_believe_the_acknowledgement_of_a_segment_that_no_receiver_would_take) {
  for (const std::uint32_t away : {far, 0 - far}) {
    fixture f;
    f.s->add(f.d.data(side::client, 1, 1, "abc"));
    for (std::uint32_t i = 0; i < 4; ++i) {
      f.d.wait(std::chrono::milliseconds{20});
      f.s->add(f.d.data(side::client, away + i, 100, "?"));
      f.s->add(f.d.data(side::client, away + i, far + i, "?"));
    }
    f.s->add(f.d.data(side::server, 1, 4, "xyz"));
    f.s->add(f.d.data(side::client, 4, 4, "def"));
    f.s->finish(f.end());
    EXPECT_EQ(f.t.heard, "c:abcs:xyzc:def");
    EXPECT_EQ(f.client().missing + f.server().missing, 0u);
  }
}

/// As a receiver would do: the genuine sides go on where they were.
TEST(session, is_not_moved_by_two_forged_sides_that_agree_with_each_other) {
  fixture f;
  std::string client, server;
  const std::string kilobyte(1024, '?');
  for (std::uint32_t i = 0; i < 200; ++i) {
    f.d.wait(std::chrono::milliseconds{20});
    const std::uint32_t at = far + i * 1024;
    f.s->add(f.d.data(side::client, at, at, kilobyte));
    f.s->add(f.d.data(side::server, at, at + 1024, kilobyte));
    if (i % 100 != 99) continue;
    const auto said = static_cast<std::uint32_t>(client.size());
    f.s->add(f.d.data(side::client, 1 + said, 1 + said, "abc"));
    f.s->add(f.d.data(side::server, 1 + said, 4 + said, "xyz"));
    client += "abc";
    server += "xyz";
  }
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:abcs:xyzc:abcs:xyz");
  EXPECT_EQ(f.client().bytes, client.size());
  EXPECT_EQ(f.server().bytes, server.size());
  EXPECT_EQ(f.client().missing + f.server().missing, 0u);
}

TEST(session, goes_on_after_both_sides_lost_seconds) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::client, far, far, "question"));
  f.s->add(f.d.data(side::server, far, far + 8, "answer"));
  f.s->add(f.d.data(side::client, far + 8, far + 6, "thanks"));
  f.s->add(f.d.ack(side::server, far + 6, far + 14));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:abc[536870908]questionthankss:[536870911]answer");
}

TEST(session, goes_on_at_once_after_one_side_lost_seconds) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::client, far, 1, "upload"));
  f.s->add(f.d.ack(side::server, 1, far + 6));
  f.s->add(f.d.ack(side::server, 1, far + 6));
  EXPECT_EQ(f.t.heard, "c:abc[536870908]upload");
  f.s->add(f.d.data(side::server, 1, far + 6, "done"));
  EXPECT_EQ(f.t.heard, "c:abc[536870908]uploads:done");
}

// -- skipping -------------------------------------------------------------------------------------

TEST(session, tells_nothing_but_the_end_after_skip_rest) {
  fixture f;
  f.t.on_data = [](std::string_view) { return verdict::skip_rest; };
  f.s->add(f.d.data(side::server, 5, 1, "held"));
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  EXPECT_EQ(f.budget.used(), 0u);
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  f.s->add(f.d.data(side::server, 1, 7, "wxyz"));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:abc");
  EXPECT_EQ(f.client().bytes, 3u);
  EXPECT_EQ(f.client().skipped, 3u);
  EXPECT_EQ(f.server().skipped, 8u);
  EXPECT_EQ(f.t.ends, 1);
}

TEST(session, may_be_skipped_from_its_start) {
  fixture f;
  f.t.on_start = [] { return verdict::skip_rest; };
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "");
  EXPECT_EQ(f.client().skipped, 3u);
}

TEST(session, may_be_skipped_from_a_gap_on) {
  fixture f;
  f.t.on_gap = [] { return verdict::skip_rest; };
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  f.s->add(f.d.data(side::server, 1, 7, "xyz"));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:[3]");
  EXPECT_EQ(f.client().skipped, 3u);
  EXPECT_EQ(f.server().skipped, 3u);
}

TEST(session, skips_and_counts_what_is_beyond_its_limit) {
  fixture f{{.stream = {}, .max_bytes = 8}};
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::server, 1, 4, "rstuvwxyz"));
  f.s->add(f.d.data(side::server, 10, 4, "more"));
  f.s->add(f.d.data(side::client, 4, 14, "def"));
  f.s->finish(f.end());
  EXPECT_EQ(f.t.heard, "c:abcs:rstuv");
  EXPECT_EQ(f.client().bytes, 3u);
  EXPECT_EQ(f.server().bytes, 5u);
  EXPECT_EQ(f.server().skipped, 8u);
  EXPECT_EQ(f.client().skipped, 3u);
}

// -- failure --------------------------------------------------------------------------------------

TEST(session, ends_as_failed_when_its_accumulator_throws) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::client, 8, 1, "held"));
  f.t.on_data = [](std::string_view) -> verdict { throw std::runtime_error{"disk full"}; };
  EXPECT_THROW(f.s->add(f.d.data(side::client, 4, 1, "defg")), std::runtime_error);
  f.t.on_data = nullptr;
  f.s->fail(f.failure("disk full"));
  EXPECT_EQ(f.t.heard, "c:abcdefg") << "nothing is told after the exception";
  EXPECT_EQ(f.t.ends, 1);
  EXPECT_EQ(f.t.summary.state, session_state::failed);
  EXPECT_EQ(f.t.summary.failure, "disk full");
  EXPECT_EQ(f.client().bytes, 7u);
  EXPECT_EQ(f.client().packets, 3u);
  EXPECT_EQ(f.budget.used(), 0u);
}

TEST(session, fails_when_its_end_throws_while_flushing) {
  fixture f;
  f.s->add(f.d.data(side::client, 4, 1, "def"));
  f.t.on_gap = []() -> verdict { throw std::runtime_error{"no"}; };
  EXPECT_THROW(f.s->finish(f.end()), std::runtime_error);
  f.s->fail(f.failure("no"));
  EXPECT_EQ(f.t.ends, 1);
  EXPECT_EQ(f.t.summary.state, session_state::failed);
}

TEST(session, fails_when_its_start_throws) {
  fixture f;
  f.t.on_start = []() -> verdict { throw std::runtime_error{"no"}; };
  EXPECT_THROW(f.s->add(f.d.data(side::client, 1, 1, "abc")), std::runtime_error);
  f.s->fail(f.failure("no"));
  EXPECT_EQ(f.t.ends, 1);
}

TEST(session, swallows_what_the_end_of_a_failed_session_throws) {
  fixture f;
  f.t.on_end = [] { throw std::runtime_error{"again"}; };
  f.s->fail(f.failure("first"));
  EXPECT_EQ(f.t.ends, 1);
}

TEST(session, tells_its_end_once_even_where_that_throws) {
  fixture f;
  f.t.on_end = [] { throw std::runtime_error{"no"}; };
  EXPECT_THROW(f.s->finish(f.end()), std::runtime_error);
  f.s->fail(f.failure("no"));
  EXPECT_EQ(f.t.ends, 1);
}

// -- memory ---------------------------------------------------------------------------------------

TEST(session, passes_pressure_on_and_lets_go_of_what_it_can) {
  fixture f;
  f.s->add(f.d.data(side::client, 1, 1, "abc"));
  f.s->add(f.d.data(side::client, 8, 1, "hij"));
  const auto before = f.budget.used();
  f.s->relieve();
  EXPECT_EQ(f.t.pressures, 1);
  EXPECT_LT(f.budget.used(), before);
  f.s->add(f.d.data(side::client, 4, 1, "defg"));
  EXPECT_EQ(f.t.heard, "c:abcdefghij");
}

TEST(session, tells_no_pressure_before_its_start_or_after_its_end) {
  fixture f;
  f.s->relieve();
  f.s->finish(f.end());
  f.s->relieve();
  EXPECT_EQ(f.t.pressures, 0);
}

} // namespace
} // namespace weir
