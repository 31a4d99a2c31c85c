/// How children and supervisors start, and fail to.
#include <weir/actors/supervisor.hpp>

#include <weir/tests/actors/supervised.hpp>

namespace weir {
namespace {

using namespace test;

using supervisor_starts = supervision;

struct start_case {
  const char* name;
  on_start how;
  const char* reason;
};

std::string start_name(const ::testing::TestParamInfo<start_case>& info) { return info.param.name; }

class supervisor_failing_starts : public supervision,
                                  public ::testing::WithParamInterface<start_case> {};

TEST_P(supervisor_failing_starts, of_an_initial_child_stop_those_before_and_the_supervisor) {
  const auto& [name, how, reason] = GetParam();
  conducts["c"].start = how;
  const auto s = spawned(
      supervise(restart_strategy::one_for_one, {spec("a"), spec("b"), spec("c"), spec("d")}));
  const auto why = std::string{reason};
  EXPECT_EQ(take_events(), (lines{"s/a started", "s/b started", "s/c did not start (" + why + ")",
                                  "s/b stopped (user_shutdown)", "s/a stopped (user_shutdown)",
                                  "s finished (start failed: s/c: " + why + ")"}));
  EXPECT_EQ(end_of(s), supervisor_errc::start_failed);
}

TEST_P(supervisor_failing_starts, at_a_restart_are_tried_again) {
  const auto& [name, how, reason] = GetParam();
  auto settings = supervise(restart_strategy::one_for_one, {spec("a")});
  settings.intensity = 2;
  int starts = 0;
  settings.children[0].start = [&, how = how](caf::actor_system& sys, const startup& up) {
    return make_child(sys, up, {++starts == 2 ? how : on_start::up});
  };
  const auto s = started(std::move(settings));
  end(s, "a", mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/a ended (bad_function_call)",
                   "s/a did not start (" + std::string{reason} + ")", "s/a restarted (1)"}));
}

INSTANTIATE_TEST_SUITE_P(
    all, supervisor_failing_starts,
    ::testing::Values(start_case{"says_so", on_start::fails, "bad_function_call"},
                      start_case{"ends_early", on_start::ends, "ended before it was up"},
                      start_case{"factory_throws", on_start::factory_throws, "exception: no luck"},
                      start_case{"no_actor", on_start::no_actor, "no actor of its own"},
                      start_case{"up_without_actor", on_start::no_actor_but_up,
                                 "no actor of its own"}),
    start_name);

TEST_F(supervisor_starts, a_failed_start_within_a_group_restarts_the_group_from_there) {
  auto settings = supervise(restart_strategy::rest_for_one, {spec("a"), spec("b"), spec("c")});
  settings.intensity = 2;
  int starts = 0;
  settings.children[1].start = [&](caf::actor_system& sys, const startup& up) {
    return make_child(sys, up, {++starts == 2 ? on_start::fails : on_start::up});
  };
  const auto s = started(std::move(settings));
  end(s, "a", mishap());
  EXPECT_EQ(take_events(), (lines{"s/a ended (bad_function_call)", "s/c stopped (user_shutdown)",
                                  "s/b stopped (user_shutdown)", "s/a restarted (1)",
                                  "s/b did not start (bad_function_call)", "s/b restarted (1)",
                                  "s/c restarted (1)"}));
}

TEST_F(supervisor_starts, a_failed_start_with_one_for_all_takes_all_down_again) {
  auto settings = supervise(restart_strategy::one_for_all, {spec("a"), spec("b"), spec("c")});
  settings.intensity = 2;
  int starts = 0;
  settings.children[1].start = [&](caf::actor_system& sys, const startup& up) {
    return make_child(sys, up, {++starts == 2 ? on_start::fails : on_start::up});
  };
  const auto s = started(std::move(settings));
  end(s, "c", mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/c ended (bad_function_call)", "s/b stopped (user_shutdown)",
                   "s/a stopped (user_shutdown)", "s/a restarted (1)",
                   "s/b did not start (bad_function_call)", "s/a stopped (user_shutdown)",
                   "s/a restarted (2)", "s/b restarted (1)", "s/c restarted (1)"}));
}

TEST_F(supervisor_starts, a_child_that_is_not_needed_is_left_out) {
  for (const auto how : {on_start::ignores, on_start::factory_ignores}) {
    conducts["b"].start = how;
    conducts["t"].start = how;
    const auto s =
        spawned(supervise(restart_strategy::one_for_one,
                          {spec("a"), spec("b"), spec("t", restart_policy::temporary), spec("c")}));
    EXPECT_EQ(take_events(),
              (lines{"s/a started", "s/b is not needed", "s/t is not needed", "s/c started"}));
    EXPECT_EQ(state_of(s, "b"), child_state::stopped);
    EXPECT_EQ(state_of(s, "t"), std::nullopt);
    EXPECT_EQ(living(), 2);
    self->send_exit(s, shutdown_reason());
    take_events();
  }
}

TEST_F(supervisor_starts, a_child_that_is_not_up_in_time_is_killed) {
  auto slow = spec("b");
  slow.start_timeout = 3s;
  conducts["b"] = {on_start::silent, on_exit::refuses};
  const auto s = spawned(supervise(restart_strategy::one_for_one, {spec("a"), slow}));
  EXPECT_EQ(take_events(), lines{"s/a started"});
  advance(3s - 1ns);
  EXPECT_EQ(take_events(), lines{});
  advance(1ns);
  EXPECT_EQ(take_events(),
            (lines{"s/b did not start (not up in time)", "s/a stopped (user_shutdown)",
                   "s finished (start failed: s/b: not up in time)"}));
  EXPECT_EQ(end_of(s), supervisor_errc::start_failed);
}

TEST_F(supervisor_starts, a_child_that_is_up_in_time_has_no_deadline_any_more) {
  auto slow = spec("a");
  slow.start_timeout = 3s;
  const auto s = started(supervise(restart_strategy::one_for_one, {slow}));
  advance(1h);
  EXPECT_EQ(take_events(), lines{});
  EXPECT_EQ(state_of(s, "a"), child_state::up);
}

TEST_F(supervisor_starts, words_of_an_earlier_start_count_for_nothing) {
  std::vector<startup> tokens;
  auto child_a = spec("a");
  child_a.start = [&](caf::actor_system& sys, const startup& up) {
    tokens.push_back(up);
    return make_child(sys, up, conducts["a"]);
  };
  const auto s = started(supervise(restart_strategy::one_for_one, {child_a}));
  conducts["a"].start = on_start::silent;
  end(s, "a", mishap());
  take_events();
  tokens.front().up();
  tokens.front().failed(mishap());
  EXPECT_EQ(take_events(), lines{});
  EXPECT_EQ(state_of(s, "a"), child_state::starting);
  tokens.back().up();
  tokens.back().failed(mishap());
  EXPECT_EQ(take_events(), lines{"s/a restarted (1)"}) << "only the first word counts";
}

TEST_F(supervisor_starts, a_child_that_failed_has_ended_before_it_is_started_again) {
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  conducts["a"] = {on_start::fails, on_exit::refuses};
  end(s, "a", mishap());
  take_events();
  conducts["a"] = {};
  EXPECT_EQ(state_of(s, "a"), child_state::stopping);
  advance(5s);
  EXPECT_EQ(take_events(),
            (lines{"s/a killed after its shutdown time", "s/a did not start (bad_function_call)",
                   "s gave up on s/a", "s finished (too many restarts: s/a)"}));
}

TEST_F(supervisor_starts, two_children_cannot_be_one_actor) {
  auto twin = spec("b");
  twin.start = [this](caf::actor_system&, const startup&) {
    return child_handle{caf::actor_cast<caf::actor>(latest)};
  };
  const auto s = spawned(supervise(restart_strategy::one_for_one, {spec("a"), twin}));
  EXPECT_EQ(take_events(), (lines{"s/a started", "s/b did not start (no actor of its own)",
                                  "s/a stopped (user_shutdown)",
                                  "s finished (start failed: s/b: no actor of its own)"}));
}

TEST_F(supervisor_starts, a_contradictory_specification_ends_the_supervisor) {
  auto no_factory = spec("x");
  no_factory.start = {};
  using children = std::vector<child_spec>;
  const auto bad = {
      supervise(restart_strategy::one_for_one, children{spec("a"), spec("a")}),
      supervise(restart_strategy::one_for_one, children{spec("")}),
      supervise(restart_strategy::one_for_one, children{spec("a/b")}),
      supervise(restart_strategy::one_for_one, children{no_factory}),
      supervise(restart_strategy::simple_one_for_one, children{}),
      supervise(restart_strategy::simple_one_for_one, children{spec("a"), spec("b")}),
  };
  for (const auto& settings : bad)
    EXPECT_EQ(end_of(spawned(settings)), supervisor_errc::bad_specification);
  EXPECT_EQ(living(), 0);
}

TEST_F(supervisor_starts, an_exception_ends_a_child_with_its_text) {
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  self->send(child_of(s, "a"), throw_this{"disk on fire"});
  EXPECT_EQ(take_events(), (lines{"s/a ended (exception: disk on fire)", "s/a restarted (1)"}));
}

} // namespace
} // namespace weir
