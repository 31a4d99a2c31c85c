/// simple_one_for_one: children without names, made from one specification at run time.
#include <weir/actors/supervisor.hpp>

#include <weir/tests/actors/supervised.hpp>

namespace weir {
namespace {

using namespace test;

class supervisor_dynamic : public supervision {
protected:
  /// Its children behave as their arguments say.
  supervisor_spec pool(restart_policy restart = restart_policy::permanent) {
    auto settings = supervise(restart_strategy::simple_one_for_one, {spec("worker", restart)});
    settings.children[0].start = [this](caf::actor_system& sys, const startup& up) {
      return make_child(sys, up, up.argument<conduct>());
    };
    return settings;
  }

  caf::actor add(const supervisor_actor& s, conduct how = {}) {
    return ask<caf::actor>(s, start_dynamic_child{how}).value();
  }

  caf::error add_refusal(const supervisor_actor& s, std::any argument) {
    return ask<caf::actor>(s, start_dynamic_child{std::move(argument)}).error();
  }

  void end(const caf::actor& child, caf::error reason) {
    self->send(child, end_with{std::move(reason)});
    run();
  }

  static std::string name(const caf::actor& child) { return "s/#" + std::to_string(child.id()); }
};

TEST_F(supervisor_dynamic, starts_without_children_and_takes_them_with_arguments) {
  const auto s = started(pool());
  EXPECT_EQ(ask<child_counts>(s, count_children{})->active, 0u);
  const auto a = add(s);
  EXPECT_EQ(take_events(), lines{name(a) + " started"});
  const auto answer = ask<child_counts>(s, count_children{});
  EXPECT_EQ(answer->specs, 1u);
  EXPECT_EQ(answer->active, 1u);
}

TEST_F(supervisor_dynamic, starts_do_not_wait_for_each_other) {
  const auto s = started(pool());
  self->send(s, start_dynamic_child{conduct{on_start::silent}});
  EXPECT_TRUE(add(s));
}

TEST_F(supervisor_dynamic, a_child_is_restarted_alone_with_its_argument) {
  auto settings = pool();
  std::vector<int> arguments;
  settings.children[0].start = [&](caf::actor_system& sys, const startup& up) {
    arguments.push_back(up.argument<int>());
    return make_child(sys, up, {});
  };
  const auto s = started(std::move(settings));
  const auto a = ask<caf::actor>(s, start_dynamic_child{1}).value();
  const auto b = ask<caf::actor>(s, start_dynamic_child{2}).value();
  take_events();
  end(a, mishap());
  EXPECT_EQ(arguments, (std::vector{1, 2, 1}));
  const auto children = children_of(s);
  ASSERT_EQ(children.size(), 2u);
  EXPECT_EQ(children[0].restarts, 1u);
  EXPECT_EQ(children[1].actor, b);
  EXPECT_EQ(take_events(), (lines{name(a) + " ended (bad_function_call)",
                                  name(children[0].actor) + " restarted (1)"}));
}

TEST_F(supervisor_dynamic, a_child_that_ends_for_good_is_forgotten) {
  for (const auto& [policy, reason] :
       {std::pair{restart_policy::transient, caf::error{}},
        std::pair{restart_policy::temporary, caf::error{mishap()}}}) {
    const auto s = started(pool(policy));
    end(add(s), reason);
    EXPECT_TRUE(children_of(s).empty());
  }
}

TEST_F(supervisor_dynamic, a_start_that_fails_is_answered_and_forgotten) {
  const auto s = started(pool());
  for (const auto how : {on_start::fails, on_start::ends, on_start::factory_throws})
    EXPECT_EQ(add_refusal(s, conduct{how}), supervisor_errc::start_failed);
  EXPECT_EQ(add_refusal(s, conduct{on_start::ignores}), supervisor_errc::ignored);
  EXPECT_EQ(add_refusal(s, std::string{"not a conduct"}), supervisor_errc::start_failed);
  EXPECT_TRUE(children_of(s).empty());
  EXPECT_EQ(end_of(s), std::nullopt);
}

TEST_F(supervisor_dynamic, one_restart_too_many_ends_all) {
  const auto s = started(pool());
  const auto a = add(s);
  const auto b = add(s);
  add(s);
  end(a, mishap());
  EXPECT_EQ(end_of(s), std::nullopt);
  end(b, mishap());
  EXPECT_EQ(end_of(s), supervisor_errc::too_many_restarts);
  EXPECT_EQ(living(), 2) << "what the test holds";
}

TEST_F(supervisor_dynamic, attempts_to_restart_that_fail_count_too) {
  auto settings = pool();
  settings.intensity = 3;
  int starts = 0;
  settings.children[0].start = [&](caf::actor_system& sys, const startup& up) {
    return make_child(sys, up, {++starts == 1 ? on_start::up : on_start::factory_throws});
  };
  const auto s = started(std::move(settings));
  end(add(s), mishap());
  EXPECT_EQ(end_of(s), supervisor_errc::too_many_restarts);
  EXPECT_EQ(starts, 4);
}

TEST_F(supervisor_dynamic, stops_all_children_at_once) {
  const auto s = started(pool());
  for (int i = 0; i < 3; ++i)
    add(s, {on_start::up, on_exit::refuses});
  add(s);
  take_events();
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(take_events().size(), 1u) << "of the one that ends";
  advance(5s);
  // Killed and stopped, three times; and the supervisor itself.
  EXPECT_EQ(take_events().size(), 7u);
  EXPECT_EQ(end_of(s), shutdown_reason());
}

TEST_F(supervisor_dynamic, stops_a_child_that_is_not_up_and_answers_who_waits_for_it) {
  const auto s = started(pool());
  auto response = self->request(s, caf::infinite, start_dynamic_child{conduct{on_start::silent}});
  run();
  self->send_exit(s, shutdown_reason());
  run();
  caf::error answer;
  response.receive([](const caf::actor&) {}, [&](const caf::error& e) { answer = e; });
  EXPECT_EQ(answer, supervisor_errc::stopping);
  EXPECT_EQ(end_of(s), shutdown_reason());
}

TEST_F(supervisor_dynamic, takes_no_requests_while_it_stops) {
  const auto s = started(pool());
  const auto a = add(s, {on_start::up, on_exit::refuses});
  self->send_exit(s, shutdown_reason());
  EXPECT_EQ(add_refusal(s, conduct{}), supervisor_errc::stopping);
  EXPECT_EQ(refusal(s, terminate_dynamic_child{a.address()}), supervisor_errc::stopping);
  advance(5s);
  EXPECT_EQ(end_of(s), shutdown_reason());
}

TEST_F(supervisor_dynamic, each_start_has_its_own_deadline) {
  auto settings = pool();
  settings.children[0].start_timeout = 3s;
  const auto s = started(std::move(settings));
  self->send(s, start_dynamic_child{conduct{on_start::silent}});
  advance(1500ms);
  self->send(s, start_dynamic_child{conduct{on_start::silent}});
  advance(1500ms);
  EXPECT_EQ(children_of(s).size(), 1u);
  advance(1s);
  EXPECT_EQ(children_of(s).size(), 1u);
  advance(500ms);
  EXPECT_EQ(children_of(s).size(), 0u);
}

TEST_F(supervisor_dynamic, terminate_dynamic_child_stops_and_forgets_one) {
  const auto s = started(pool());
  const auto a = add(s);
  const auto b = add(s);
  EXPECT_FALSE(refusal(s, terminate_dynamic_child{a.address()}));
  EXPECT_EQ(end_of(a), shutdown_reason());
  const auto children = children_of(s);
  ASSERT_EQ(children.size(), 1u);
  EXPECT_EQ(children[0].actor, b);
  EXPECT_EQ(refusal(s, terminate_dynamic_child{a.address()}), supervisor_errc::not_found);
  EXPECT_EQ(refusal(s, terminate_dynamic_child{recorder.address()}), supervisor_errc::not_found);
  EXPECT_EQ(ask<child_counts>(s, count_children{})->active, 1u);
}

TEST_F(supervisor_dynamic, requests_by_name_are_refused) {
  const auto s = started(pool());
  EXPECT_EQ(ask<caf::actor>(s, start_child{spec("a")}).error(), supervisor_errc::wrong_strategy);
  EXPECT_EQ(ask<caf::actor>(s, restart_child{"worker"}).error(), supervisor_errc::wrong_strategy);
  EXPECT_EQ(refusal(s, terminate_child{"worker"}), supervisor_errc::wrong_strategy);
  EXPECT_EQ(refusal(s, delete_child{"worker"}), supervisor_errc::wrong_strategy);
}

TEST_F(supervisor_dynamic, says_whether_all_children_ended_normally) {
  auto settings = pool(restart_policy::temporary);
  settings.ends_with_children = true;
  const auto s = started(std::move(settings));
  const auto a = add(s);
  const auto b = add(s);
  end(a, mishap());
  end(b, {});
  EXPECT_EQ(end_of(s), shutdown_reason());
}

TEST_F(supervisor_dynamic, ends_with_the_last_child_if_it_is_to) {
  auto settings = pool(restart_policy::transient);
  settings.ends_with_children = true;
  const auto s = started(std::move(settings));
  const auto a = add(s);
  const auto b = add(s);
  end(a, {});
  EXPECT_EQ(end_of(s), std::nullopt);
  take_events();
  end(b, {});
  EXPECT_EQ(take_events(), (lines{name(b) + " ended (normal)", "s has no children left (normal)",
                                  "s finished (normal)"}));
}

} // namespace
} // namespace weir
