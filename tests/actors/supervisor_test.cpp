/// Restart types, strategies and the restart intensity, as OTP's supervisor(3) documents them.
#include <weir/actors/supervisor.hpp>

#include <weir/tests/actors/supervised.hpp>

namespace weir {
namespace {

using namespace test;

using supervisor_strategies = supervision;
using supervisor_intensity = supervision;

// -- restart types ----------------------------------------------------------------

struct restart_case {
  const char* name;
  restart_policy policy;
  caf::error reason;
  bool restarted;
  bool kept;
};

std::string name_of(const ::testing::TestParamInfo<restart_case>& info) { return info.param.name; }

class supervisor_restarts : public supervision,
                            public ::testing::WithParamInterface<restart_case> {};

TEST_P(supervisor_restarts, are_as_the_restart_type_says) {
  const auto& [name, policy, reason, restarted, kept] = GetParam();
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a", policy)}));
  const auto ended = "s/a ended (" + reason_text(reason) + ")";
  end(s, "a", reason);
  const auto events = take_events();
  if (restarted) {
    EXPECT_EQ(events, (lines{ended, "s/a restarted (1)"}));
    EXPECT_EQ(state_of(s, "a"), child_state::up);
  } else {
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.front(), ended);
    EXPECT_EQ(state_of(s, "a"),
              kept ? std::optional{child_state::stopped} : std::optional<child_state>{});
  }
  EXPECT_EQ(living(), restarted ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(
    all, supervisor_restarts,
    ::testing::Values(
        restart_case{"permanent_normal", restart_policy::permanent, {}, true, true},
        restart_case{"permanent_shutdown", restart_policy::permanent, shutdown_reason(), true,
                     true},
        restart_case{"permanent_abnormal", restart_policy::permanent, mishap(), true, true},
        restart_case{"transient_normal", restart_policy::transient, {}, false, true},
        restart_case{"transient_shutdown", restart_policy::transient, shutdown_reason(), false,
                     true},
        restart_case{"transient_abnormal", restart_policy::transient, mishap(), true, true},
        restart_case{"transient_killed", restart_policy::transient, caf::exit_reason::kill, true,
                     true},
        restart_case{"temporary_normal", restart_policy::temporary, {}, false, false},
        restart_case{"temporary_shutdown", restart_policy::temporary, shutdown_reason(), false,
                     false},
        restart_case{"temporary_abnormal", restart_policy::temporary, mishap(), false, false}),
    name_of);

// -- strategies ---------------------------------------------------------------------

TEST_F(supervisor_strategies, children_start_in_order_and_stop_in_reverse_order) {
  const auto s =
      spawned(supervise(restart_strategy::one_for_one, {spec("a"), spec("b"), spec("c")}));
  EXPECT_EQ(take_events(), (lines{"s/a started", "s/b started", "s/c started"}));
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events(), (lines{"s/c stopped (user_shutdown)", "s/b stopped (user_shutdown)",
                                  "s/a stopped (user_shutdown)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_strategies, a_child_starts_when_the_one_before_is_up) {
  conducts["a"].start = on_start::silent;
  const auto s = spawned(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  EXPECT_EQ(take_events(), lines{});
  EXPECT_EQ(state_of(s, "a"), child_state::starting);
  EXPECT_EQ(state_of(s, "b"), child_state::stopped);
}

TEST_F(supervisor_strategies, one_for_one_restarts_the_child_alone) {
  const auto s =
      started(supervise(restart_strategy::one_for_one, {spec("a"), spec("b"), spec("c")}));
  end(s, "b", mishap());
  EXPECT_EQ(take_events(), (lines{"s/b ended (bad_function_call)", "s/b restarted (1)"}));
}

TEST_F(supervisor_strategies, one_for_all_stops_and_restarts_all) {
  const auto s =
      started(supervise(restart_strategy::one_for_all, {spec("a"), spec("b"), spec("c")}));
  end(s, "b", mishap());
  EXPECT_EQ(take_events(), (lines{"s/b ended (bad_function_call)", "s/c stopped (user_shutdown)",
                                  "s/a stopped (user_shutdown)", "s/a restarted (1)",
                                  "s/b restarted (1)", "s/c restarted (1)"}));
}

TEST_F(supervisor_strategies, rest_for_one_stops_and_restarts_the_later_ones) {
  const auto s = started(
      supervise(restart_strategy::rest_for_one, {spec("a"), spec("b"), spec("c"), spec("d")}));
  end(s, "b", mishap());
  EXPECT_EQ(take_events(), (lines{"s/b ended (bad_function_call)", "s/d stopped (user_shutdown)",
                                  "s/c stopped (user_shutdown)", "s/b restarted (1)",
                                  "s/c restarted (1)", "s/d restarted (1)"}));
}

TEST_F(supervisor_strategies, a_temporary_child_that_a_sibling_takes_down_does_not_come_back) {
  for (const auto strategy : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    const auto s = started(supervise(strategy, {spec("a"), spec("t", restart_policy::temporary)}));
    end(s, "a", mishap());
    EXPECT_EQ(take_events(), (lines{"s/a ended (bad_function_call)", "s/t stopped (user_shutdown)",
                                    "s/a restarted (1)"}));
    EXPECT_EQ(state_of(s, "t"), std::nullopt);
  }
}

TEST_F(supervisor_strategies, a_sibling_that_ended_normally_comes_back_with_the_others) {
  const auto s = started(
      supervise(restart_strategy::one_for_all, {spec("a"), spec("b", restart_policy::transient)}));
  end(s, "b", {});
  EXPECT_EQ(state_of(s, "b"), child_state::stopped);
  take_events();
  end(s, "a", mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/a ended (bad_function_call)", "s/a restarted (1)", "s/b restarted (1)"}));
}

TEST_F(supervisor_strategies, a_sibling_that_died_at_the_same_time_is_part_of_the_restart) {
  const auto s =
      started(supervise(restart_strategy::rest_for_one, {spec("a"), spec("b"), spec("c")}));
  const auto a = child_of(s, "a");
  const auto c = child_of(s, "c");
  freeze(caf::actor_cast<caf::actor>(s));
  self->send(a, end_with{mishap()});
  self->send(c, end_with{mishap()});
  run();
  thaw();
  EXPECT_EQ(take_events(), (lines{"s/a ended (bad_function_call)",
                                  "s/c stopped (bad_function_call)", "s/b stopped (user_shutdown)",
                                  "s/a restarted (1)", "s/b restarted (1)", "s/c restarted (1)"}))
      << "c is not a restart of its own, which would be one too many";
}

TEST_F(supervisor_strategies, a_death_during_a_restart_is_handled_after_it) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b")});
  settings.intensity = 2;
  const auto s = started(std::move(settings));
  conducts["a"].start = on_start::silent;
  end(s, "a", mishap());
  end(s, "b", mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/a ended (bad_function_call)", "s/b ended (bad_function_call)"}));
  EXPECT_EQ(state_of(s, "b"), child_state::restarting);
  // The start of a fails, so that there is another one, behind b's.
  conducts["a"].start = on_start::up;
  self->send(child_of(s, "a"), end_with{mishap()});
  EXPECT_EQ(take_events(),
            (lines{"s/a did not start (bad_function_call)", "s/b restarted (1)", "s gave up on s/a",
                   "s/b stopped (user_shutdown)", "s finished (too many restarts: s/a)"}));
}

// -- intensity -----------------------------------------------------------------------

TEST_F(supervisor_intensity, is_one_in_five_seconds_by_default_as_in_otp) {
  EXPECT_EQ(supervisor_spec{}.intensity, 1u);
  EXPECT_EQ(supervisor_spec{}.period, 5s);
}

TEST_F(supervisor_intensity, one_restart_too_many_stops_all_children_and_the_supervisor) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b"), spec("c")});
  settings.intensity = 2;
  const auto s = started(std::move(settings));
  end(s, "b", mishap());
  end(s, "b", mishap());
  EXPECT_EQ(state_of(s, "b"), child_state::up) << "at the limit";
  take_events();
  end(s, "b", mishap());
  EXPECT_EQ(take_events(), (lines{"s/b ended (bad_function_call)", "s gave up on s/b",
                                  "s/c stopped (user_shutdown)", "s/a stopped (user_shutdown)",
                                  "s finished (too many restarts: s/b)"}));
  EXPECT_EQ(end_of(s), supervisor_errc::too_many_restarts);
}

TEST_F(supervisor_intensity, counts_the_restarts_of_all_children) {
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  end(s, "a", mishap());
  end(s, "b", mishap());
  EXPECT_EQ(end_of(s), supervisor_errc::too_many_restarts);
}

TEST_F(supervisor_intensity, forgets_restarts_that_are_older_than_the_period) {
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  for (int i = 0; i < 4; ++i) {
    end(s, "a", mishap());
    advance(5s + 1ns);
  }
  EXPECT_EQ(state_of(s, "a"), child_state::up);
  end(s, "a", mishap());
  advance(5s);
  end(s, "a", mishap());
  EXPECT_EQ(end_of(s), supervisor_errc::too_many_restarts) << "exactly as old as the period";
}

TEST_F(supervisor_intensity, of_zero_allows_no_restart) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a")});
  settings.intensity = 0;
  const auto s = started(std::move(settings));
  end(s, "a", mishap());
  EXPECT_EQ(end_of(s), supervisor_errc::too_many_restarts);
}

TEST_F(supervisor_intensity, does_not_count_ends_that_need_no_restart) {
  auto settings =
      supervise(restart_strategy::one_for_one, {spec("a", restart_policy::transient),
                                                spec("b", restart_policy::temporary), spec("c")});
  settings.intensity = 0;
  const auto s = started(std::move(settings));
  end(s, "a", {});
  end(s, "b", mishap());
  EXPECT_EQ(end_of(s), std::nullopt);
}

TEST_F(supervisor_intensity, counts_attempts_to_restart_that_fail) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b")});
  settings.intensity = 3;
  const auto s = started(std::move(settings));
  conducts["b"].start = on_start::factory_throws;
  end(s, "b", mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/b ended (bad_function_call)", "s/b did not start (exception: no luck)",
                   "s/b did not start (exception: no luck)",
                   "s/b did not start (exception: no luck)", "s gave up on s/b",
                   "s/a stopped (user_shutdown)", "s finished (too many restarts: s/b)"}));
}

} // namespace
} // namespace weir
