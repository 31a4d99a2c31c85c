/// What supervisors answer.
#include <weir/actors/supervisor.hpp>

#include <weir/tests/actors/supervised.hpp>

namespace weir {
namespace {

using namespace test;

class supervisor_requests : public supervision {
protected:
  supervisor_actor pair(restart_strategy strategy = restart_strategy::one_for_one) {
    return started(supervise(strategy, {spec("a"), spec("b")}));
  }

  caf::error start_refusal(const supervisor_actor& s, child_spec child) {
    return ask<caf::actor>(s, start_child{std::move(child)}).error();
  }

  caf::error restart_refusal(const supervisor_actor& s, const std::string& id) {
    return ask<caf::actor>(s, restart_child{id}).error();
  }

  /// A supervisor whose restarts fail without end; the child is caught between two of them.
  supervisor_actor restarting_for_good() {
    auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b")});
    settings.intensity = 1000;
    const auto s = started(std::move(settings));
    conducts["a"].start = on_start::silent;
    end(s, "a", mishap());
    // The supervisor is busy starting a; b waits.
    end(s, "b", mishap());
    take_events();
    return s;
  }
};

// -- start_child --

TEST_F(supervisor_requests, start_child_adds_a_child_at_the_end) {
  const auto s = pair();
  const auto answer = ask<caf::actor>(s, start_child{spec("c")});
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, child_of(s, "c"));
  EXPECT_EQ(take_events(), lines{"s/c started"});
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events().front(), "s/c stopped (user_shutdown)");
}

TEST_F(supervisor_requests, start_child_answers_when_the_child_is_up) {
  const auto s = pair();
  startup token;
  auto slow = spec("c");
  slow.start = [&](caf::actor_system& sys, const startup& up) {
    token = up;
    return make_child(sys, up, {on_start::silent});
  };
  auto response = self->request(s, caf::infinite, start_child{slow});
  run();
  EXPECT_FALSE(self->has_next_message());
  token.up();
  run();
  EXPECT_TRUE(self->has_next_message());
  response.receive([](const caf::actor&) {}, [](const caf::error& e) { FAIL() << reason_text(e); });
}

TEST_F(supervisor_requests, start_child_refuses_an_id_that_is_taken) {
  const auto s = pair();
  EXPECT_EQ(start_refusal(s, spec("a")), supervisor_errc::already_started);
  EXPECT_FALSE(refusal(s, terminate_child{"a"}));
  EXPECT_EQ(start_refusal(s, spec("a")), supervisor_errc::already_present);
  EXPECT_EQ(children_of(s).size(), 2u);
}

TEST_F(supervisor_requests, start_child_forgets_a_child_that_does_not_start) {
  const auto s = pair();
  for (const auto how : {on_start::fails, on_start::factory_throws, on_start::ends}) {
    conducts["c"].start = how;
    const auto error = start_refusal(s, spec("c"));
    EXPECT_EQ(error, supervisor_errc::start_failed);
    EXPECT_EQ(state_of(s, "c"), std::nullopt);
  }
  EXPECT_EQ(end_of(s), std::nullopt) << "that is no restart";
}

TEST_F(supervisor_requests, a_failed_start_says_why) {
  conducts["c"].start = on_start::factory_throws;
  EXPECT_EQ(reason_text(start_refusal(pair(), spec("c"))), "start failed: exception: no luck");
}

TEST_F(supervisor_requests, start_child_keeps_a_child_that_is_not_needed_unless_temporary) {
  const auto s = pair();
  conducts["c"].start = on_start::ignores;
  EXPECT_EQ(start_refusal(s, spec("c", restart_policy::temporary)), supervisor_errc::ignored);
  EXPECT_EQ(state_of(s, "c"), std::nullopt);
  EXPECT_EQ(start_refusal(s, spec("c")), supervisor_errc::ignored);
  EXPECT_EQ(state_of(s, "c"), child_state::stopped);
}

TEST_F(supervisor_requests, start_child_refuses_a_bad_specification) {
  const auto s = pair();
  EXPECT_EQ(start_refusal(s, spec("")), supervisor_errc::bad_specification);
  EXPECT_EQ(start_refusal(s, spec("x/y")), supervisor_errc::bad_specification);
  EXPECT_EQ(start_refusal(s, child_spec{.id = "x", .start = {}}),
            supervisor_errc::bad_specification);
}

// -- terminate_child --

TEST_F(supervisor_requests, terminate_child_stops_and_keeps_the_specification) {
  const auto s = pair();
  EXPECT_FALSE(refusal(s, terminate_child{"a"}));
  EXPECT_EQ(take_events(), lines{"s/a stopped (user_shutdown)"});
  EXPECT_EQ(state_of(s, "a"), child_state::stopped);
  EXPECT_FALSE(refusal(s, terminate_child{"a"})) << "there is nothing to do";
}

TEST_F(supervisor_requests, terminate_child_forgets_a_temporary_child) {
  const auto s =
      started(supervise(restart_strategy::one_for_one, {spec("t", restart_policy::temporary)}));
  EXPECT_FALSE(refusal(s, terminate_child{"t"}));
  EXPECT_EQ(state_of(s, "t"), std::nullopt);
  EXPECT_EQ(refusal(s, terminate_child{"t"}), supervisor_errc::not_found);
}

TEST_F(supervisor_requests, a_terminated_child_comes_back_with_a_group) {
  const auto s = pair(restart_strategy::one_for_all);
  EXPECT_FALSE(refusal(s, terminate_child{"b"}));
  take_events();
  end(s, "a", mishap());
  EXPECT_EQ(take_events(),
            (lines{"s/a ended (bad_function_call)", "s/a restarted (1)", "s/b restarted (1)"}));
}

TEST_F(supervisor_requests, terminate_child_ends_attempts_to_restart) {
  const auto s = restarting_for_good();
  EXPECT_EQ(state_of(s, "b"), child_state::restarting);
  auto response = self->request(s, caf::infinite, terminate_child{"b"});
  auto other = self->request(s, caf::infinite, terminate_child{"a"});
  run();
  // Its first start fails, and another attempt waits behind the requests.
  self->send(caf::actor_cast<caf::actor>(latest), end_with{});
  run();
  for (auto* r : {&response, &other})
    r->receive([] {}, [](const caf::error& e) { FAIL() << reason_text(e); });
  EXPECT_EQ(state_of(s, "a"), child_state::stopped);
  EXPECT_EQ(state_of(s, "b"), child_state::stopped);
}

// -- restart_child --

TEST_F(supervisor_requests, restart_child_starts_a_stopped_child) {
  const auto s = pair();
  refusal(s, terminate_child{"a"});
  take_events();
  const auto answer = ask<caf::actor>(s, restart_child{"a"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, child_of(s, "a"));
  EXPECT_EQ(take_events(), lines{"s/a started"});
}

TEST_F(supervisor_requests, restart_child_refuses_what_is_not_stopped) {
  const auto s = pair();
  EXPECT_EQ(restart_refusal(s, "a"), supervisor_errc::running);
  EXPECT_EQ(restart_refusal(s, "x"), supervisor_errc::not_found);
}

TEST_F(supervisor_requests, restart_child_reports_a_failed_start_and_keeps_the_child) {
  const auto s = pair();
  refusal(s, terminate_child{"a"});
  conducts["a"].start = on_start::fails;
  EXPECT_EQ(restart_refusal(s, "a"), supervisor_errc::start_failed);
  EXPECT_EQ(state_of(s, "a"), child_state::stopped);
  conducts["a"].start = on_start::factory_ignores;
  EXPECT_EQ(restart_refusal(s, "a"), supervisor_errc::ignored);
  EXPECT_EQ(state_of(s, "a"), child_state::stopped);
}

// -- delete_child --

TEST_F(supervisor_requests, delete_child_forgets_a_stopped_child) {
  const auto s = pair();
  EXPECT_EQ(refusal(s, delete_child{"a"}), supervisor_errc::running);
  EXPECT_EQ(refusal(s, delete_child{"x"}), supervisor_errc::not_found);
  refusal(s, terminate_child{"a"});
  EXPECT_FALSE(refusal(s, delete_child{"a"}));
  EXPECT_EQ(state_of(s, "a"), std::nullopt);
  EXPECT_TRUE(ask<caf::actor>(s, start_child{spec("a")})) << "the id is free";
}

TEST_F(supervisor_requests, a_child_that_is_being_restarted_is_neither_started_nor_deleted) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b")});
  settings.intensity = 1000;
  const auto s = started(std::move(settings));
  conducts["a"].start = on_start::silent;
  end(s, "a", mishap());
  // The start fails after these requests have come: its next attempt is behind them.
  auto again = self->request(s, caf::infinite, restart_child{"a"});
  auto anew = self->request(s, caf::infinite, start_child{spec("a")});
  auto away = self->request(s, caf::infinite, delete_child{"a"});
  run();
  self->send(caf::actor_cast<caf::actor>(latest), end_with{});
  conducts["a"].start = on_start::up;
  run();
  const auto expect = [](caf::error& e, supervisor_errc code) { EXPECT_EQ(e, code); };
  again.receive([](const caf::actor&) { FAIL(); },
                [&](caf::error& e) { expect(e, supervisor_errc::restarting); });
  anew.receive([](const caf::actor&) { FAIL(); },
               [&](caf::error& e) { expect(e, supervisor_errc::already_present); });
  away.receive([] { FAIL(); }, [&](caf::error& e) { expect(e, supervisor_errc::restarting); });
  EXPECT_EQ(state_of(s, "a"), child_state::up);
}

// -- which_children, count_children, watch_children --

TEST_F(supervisor_requests, which_children_answers_with_current_handles_in_order) {
  const auto s = pair();
  const auto before = children_of(s);
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0].id, "a");
  EXPECT_EQ(before[1].id, "b");
  end(s, "a", mishap());
  const auto after = children_of(s);
  EXPECT_NE(after[0].actor, before[0].actor);
  EXPECT_EQ(after[0].restarts, 1u);
  EXPECT_EQ(after[1].actor, before[1].actor);
  refusal(s, terminate_child{"a"});
  EXPECT_FALSE(child_of(s, "a"));
}

TEST_F(supervisor_requests, count_children_counts_specifications_and_those_that_are_up) {
  const auto s = pair();
  refusal(s, terminate_child{"a"});
  const auto answer = ask<child_counts>(s, count_children{});
  EXPECT_EQ(answer->specs, 2u);
  EXPECT_EQ(answer->active, 1u);
}

TEST_F(supervisor_requests, watch_children_brings_events_and_does_not_keep_the_watcher) {
  const auto s = pair();
  auto seen = std::make_shared<int>(0);
  const auto watch = [](caf::event_based_actor*, std::shared_ptr<int> count) -> caf::behavior {
    return {[count](const supervisor_event&) { ++*count; }};
  };
  auto watcher = system.spawn(watch, seen);
  EXPECT_FALSE(refusal(s, watch_children{watcher}));
  end(s, "a", mishap());
  EXPECT_EQ(*seen, 2);
  watcher = nullptr;
  run();
  EXPECT_EQ(seen.use_count(), 1);
  refusal(s, terminate_child{"a"});
}

TEST_F(supervisor_requests, for_named_children_do_not_take_what_is_for_the_others) {
  const auto s = pair();
  EXPECT_EQ(ask<caf::actor>(s, start_dynamic_child{1}).error(), supervisor_errc::wrong_strategy);
  EXPECT_EQ(refusal(s, terminate_dynamic_child{child_of(s, "a").address()}),
            supervisor_errc::wrong_strategy);
}

} // namespace
} // namespace weir
