/// How supervisors and their children end.
#include <weir/actors/supervisor.hpp>

#include <weir/tests/actors/supervised.hpp>

namespace weir {
namespace {

using namespace test;

using supervisor_stops = supervision;

TEST_F(supervisor_stops, a_child_that_does_not_end_in_its_time_is_killed) {
  conducts["b"].exit = on_exit::refuses;
  auto slow = spec("b");
  slow.shutdown = shutdown_policy::within(2s);
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a"), slow, spec("c")}));
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events(), lines{"s/c stopped (user_shutdown)"});
  EXPECT_EQ(state_of(s, "b"), child_state::stopping);
  advance(2s - 1ns);
  EXPECT_EQ(take_events(), lines{});
  advance(1ns);
  EXPECT_EQ(take_events(), (lines{"s/b killed after its shutdown time", "s/b stopped (kill)",
                                  "s/a stopped (user_shutdown)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, a_brutal_shutdown_does_not_ask) {
  conducts["a"].exit = on_exit::refuses;
  auto brutal = spec("a");
  brutal.shutdown = shutdown_policy::kill();
  const auto s = started(supervise(restart_strategy::one_for_one, {brutal}));
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events(), (lines{"s/a stopped (kill)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, infinity_waits_for_as_long_as_it_takes) {
  conducts["a"].exit = on_exit::refuses;
  auto patient = spec("a");
  patient.shutdown = shutdown_policy::infinity();
  const auto s = started(supervise(restart_strategy::one_for_one, {patient}));
  const auto a = child_of(s, "a");
  self->send_exit(s, shutdown_reason());
  advance(1000h);
  EXPECT_EQ(take_events(), lines{});
  self->send(a, end_with{});
  EXPECT_EQ(take_events(), (lines{"s/a stopped (normal)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, come_after_the_work_that_a_child_has_and_kills_before) {
  auto brutal = spec("a");
  brutal.shutdown = shutdown_policy::kill();
  for (const auto& [child, works] : {std::pair{spec("a"), 2}, std::pair{brutal, 0}}) {
    const auto s = started(supervise(restart_strategy::one_for_one, {child}));
    const auto a = child_of(s, "a");
    freeze(a);
    self->send(a, work{});
    self->send(a, work{});
    self->send_exit(s, shutdown_reason());
    run();
    thaw();
    run();
    EXPECT_EQ(std::exchange(counts->works, 0), works);
    EXPECT_EQ(end_of(s), shutdown_reason());
  }
}

TEST_F(supervisor_stops, a_child_that_is_stuck_is_abandoned) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b")});
  settings.kill_grace = 3s;
  const auto s = started(std::move(settings));
  freeze(child_of(s, "b"));
  self->send_exit(s, shutdown_reason());
  advance(5s);
  EXPECT_EQ(take_events(), lines{"s/b killed after its shutdown time"});
  advance(3s);
  EXPECT_EQ(take_events(), (lines{"s/b abandoned, it is still busy", "s/a stopped (user_shutdown)",
                                  "s finished (user_shutdown)"}));
  EXPECT_EQ(living(), 1);
  thaw();
  run();
  EXPECT_EQ(living(), 0) << "it finds its kill when it comes back";
}

TEST_F(supervisor_stops, the_grace_for_the_stuck_is_a_second_by_default) {
  EXPECT_EQ(supervisor_spec{}.kill_grace, 1s);
  EXPECT_EQ(child_spec{}.shutdown.time(), std::chrono::nanoseconds{5s});
}

TEST_F(supervisor_stops, an_abandoned_child_is_replaced_and_its_end_is_nobodys_business) {
  auto settings = supervise(restart_strategy::one_for_all, {spec("a"), spec("b")});
  const auto s = started(std::move(settings));
  freeze(child_of(s, "b"));
  end(s, "a", mishap());
  advance(5s);
  advance(1s);
  EXPECT_EQ(take_events(),
            (lines{"s/a ended (bad_function_call)", "s/b killed after its shutdown time",
                   "s/b abandoned, it is still busy", "s/a restarted (1)", "s/b restarted (1)"}));
  EXPECT_EQ(living(), 3);
  thaw();
  // Were it still monitored, its end would wake the supervisor.
  freeze(caf::actor_cast<caf::actor>(s));
  run();
  EXPECT_FALSE(scheduler().has_job());
  EXPECT_EQ(living(), 2);
}

TEST_F(supervisor_stops, by_an_exit_message_end_with_its_reason) {
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  self->send_exit(s, mishap());
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events(),
            (lines{"s/a stopped (user_shutdown)", "s finished (bad_function_call)"}));
  EXPECT_EQ(end_of(s), mishap());
}

TEST_F(supervisor_stops, a_normal_exit_message_stops_nothing) {
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  self->send_exit(s, caf::exit_reason::normal);
  EXPECT_EQ(take_events(), lines{});
  EXPECT_EQ(end_of(s), std::nullopt);
}

TEST_F(supervisor_stops, by_request_are_answered_when_all_children_are_gone) {
  conducts["a"].exit = on_exit::refuses;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  auto response = self->request(s, caf::infinite, stop_supervisor{});
  auto another = self->request(s, caf::infinite, stop_supervisor{});
  run();
  EXPECT_FALSE(self->has_next_message());
  advance(5s);
  bool answered = false;
  response.receive([&] { answered = true; }, [](const caf::error&) {});
  EXPECT_TRUE(answered);
  answered = false;
  another.receive([&] { answered = true; }, [](const caf::error&) {});
  EXPECT_TRUE(answered);
  EXPECT_EQ(end_of(s), shutdown_reason());
}

TEST_F(supervisor_stops, do_not_wait_for_a_child_that_is_never_up) {
  conducts["b"].start = on_start::silent;
  const auto s = spawned(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  run();
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events(), (lines{"s/a started", "s/b stopped (user_shutdown)",
                                  "s/a stopped (user_shutdown)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, take_over_from_a_failed_start) {
  conducts["b"] = {on_start::fails, on_exit::refuses};
  const auto s = spawned(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  run();
  self->send_exit(s, shutdown_reason());
  advance(5s);
  EXPECT_EQ(take_events(),
            (lines{"s/a started", "s/b killed after its shutdown time", "s/b stopped (kill)",
                   "s/a stopped (user_shutdown)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, are_not_the_end_of_all_children) {
  auto settings =
      supervise(restart_strategy::one_for_one, {spec("a"), spec("b", restart_policy::transient)});
  settings.ends_with_children = true;
  const auto s = started(std::move(settings));
  conducts["a"].start = on_start::silent;
  end(s, "a", mishap());
  end(s, "b", {});
  take_events();
  self->send_exit(s, mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/a stopped (user_shutdown)", "s finished (bad_function_call)"}));
}

TEST_F(supervisor_stops, interrupt_a_restart) {
  const auto s =
      started(supervise(restart_strategy::one_for_all, {spec("a"), spec("b"), spec("c")}));
  conducts["b"] = {on_start::silent, on_exit::refuses};
  end(s, "a", mishap());
  take_events();
  self->send_exit(s, shutdown_reason());
  advance(5s);
  EXPECT_EQ(take_events(), (lines{"s/b killed after its shutdown time", "s/b stopped (kill)",
                                  "s/a stopped (user_shutdown)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, keep_their_order_when_a_child_is_being_stopped_already) {
  conducts["a"].exit = on_exit::refuses;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  self->send(s, terminate_child{"a"});
  run();
  EXPECT_EQ(state_of(s, "a"), child_state::stopping);
  self->send_exit(s, shutdown_reason());
  advance(5s);
  EXPECT_EQ(take_events(),
            (lines{"s/b stopped (user_shutdown)", "s/a killed after its shutdown time",
                   "s/a stopped (kill)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, a_child_that_ends_before_its_turn_is_not_restarted) {
  conducts["b"].exit = on_exit::refuses;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  const auto a = child_of(s, "a");
  self->send_exit(s, shutdown_reason());
  run();
  self->send(a, end_with{mishap()});
  run();
  EXPECT_EQ(state_of(s, "a"), child_state::stopped);
  advance(5s);
  EXPECT_EQ(take_events(),
            (lines{"s/a ended (bad_function_call)", "s/b killed after its shutdown time",
                   "s/b stopped (kill)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, a_child_that_fails_on_its_way_out_says_so) {
  conducts["a"].exit = on_exit::ends_abnormally;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events(),
            (lines{"s/a stopped (bad_function_call)", "s finished (user_shutdown)"}));
}

TEST_F(supervisor_stops, a_killed_supervisor_does_not_leave_its_children_behind) {
  conducts["b"].exit = on_exit::refuses;
  auto brutal = spec("c");
  conducts["c"].exit = on_exit::refuses;
  brutal.shutdown = shutdown_policy::kill();
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a"), spec("b"), brutal}));
  const auto children = children_of(s);
  self->send_exit(s, caf::exit_reason::kill);
  EXPECT_EQ(take_events(), lines{"s finished (kill)"});
  EXPECT_EQ(end_of(s), caf::exit_reason::kill);
  EXPECT_EQ(end_of(children[0].actor), shutdown_reason());
  EXPECT_EQ(end_of(children[1].actor), std::nullopt);
  EXPECT_EQ(end_of(children[2].actor), caf::exit_reason::kill);
  advance(5s);
  EXPECT_EQ(end_of(children[1].actor), caf::exit_reason::kill);
}

TEST_F(supervisor_stops, a_supervisor_that_is_killed_while_it_stops_waits_for_nothing) {
  conducts["b"].exit = on_exit::refuses;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a"), spec("b")}));
  const auto children = children_of(s);
  self->send_exit(s, shutdown_reason());
  run();
  self->send_exit(s, caf::exit_reason::kill);
  run();
  EXPECT_EQ(end_of(s), caf::exit_reason::kill);
  EXPECT_EQ(end_of(children[0].actor), shutdown_reason());
  EXPECT_EQ(end_of(children[1].actor), std::nullopt);
  advance(5s);
  EXPECT_EQ(end_of(children[1].actor), caf::exit_reason::kill);
}

TEST_F(supervisor_stops, a_supervisor_needs_no_handle_to_live) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a")});
  spawn_supervisor(system, std::move(settings));
  run();
  EXPECT_EQ(living(), 1);
  self->send(caf::actor_cast<caf::actor>(latest), end_with{mishap()});
  EXPECT_EQ(take_events(),
            (lines{"s/a started", "s/a ended (bad_function_call)", "s/a restarted (1)"}));
  // One more than it allows, so that it ends.
  self->send(caf::actor_cast<caf::actor>(latest), end_with{mishap()});
  run();
}

TEST_F(supervisor_stops, requests_that_wait_are_answered) {
  conducts["b"] = {on_start::silent, on_exit::refuses};
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  auto first = self->request(s, caf::infinite, start_child{spec("b")});
  auto second = self->request(s, caf::infinite, start_child{spec("c")});
  run();
  self->send_exit(s, shutdown_reason());
  run();
  const auto third = refusal(s, terminate_child{"a"});
  for (auto* waiting : {&first, &second}) {
    caf::error answer;
    waiting->receive([](const caf::actor&) {}, [&](const caf::error& e) { answer = e; });
    EXPECT_EQ(answer, supervisor_errc::stopping);
  }
  EXPECT_EQ(third, supervisor_errc::stopping) << "while the supervisor stops";
}

TEST_F(supervisor_stops, requests_that_wait_are_answered_when_it_is_killed) {
  conducts["a"].exit = on_exit::refuses;
  conducts["b"].start = on_start::silent;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  auto start = self->request(s, caf::infinite, start_child{spec("b")});
  run();
  self->send_exit(s, caf::exit_reason::kill);
  run();
  caf::error answer;
  start.receive([](const caf::actor&) {}, [&](const caf::error& e) { answer = e; });
  EXPECT_EQ(answer, supervisor_errc::stopping);
}

TEST_F(supervisor_stops, a_request_to_stop_fails_when_it_is_killed_before) {
  conducts["a"].exit = on_exit::refuses;
  const auto s = started(supervise(restart_strategy::one_for_one, {spec("a")}));
  auto stop = self->request(s, caf::infinite, stop_supervisor{});
  run();
  self->send_exit(s, caf::exit_reason::kill);
  run();
  caf::error answer;
  stop.receive([] {}, [&](const caf::error& e) { answer = e; });
  EXPECT_EQ(answer, supervisor_errc::stopping);
}

} // namespace
} // namespace weir
