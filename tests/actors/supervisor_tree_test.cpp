/// Supervisors of supervisors: escalation, the end of a whole tree, and finding each other in it.
#include <weir/actors/supervisor.hpp>

#include <weir/tests/actors/supervised.hpp>

namespace weir {
namespace {

using namespace test;

class supervisor_tree : public supervision {
protected:
  supervisor_spec inner(std::vector<child_spec> children) {
    return supervise(restart_strategy::one_for_one, std::move(children));
  }

  supervisor_actor inner_of(const supervisor_actor& root, const std::string& id) {
    return caf::actor_cast<supervisor_actor>(child_of(root, id));
  }

  /// A child that keeps what it was started with, as `token`.
  child_spec seeker() {
    auto s = spec("seeker");
    s.start = [this](caf::actor_system& sys, const startup& up) {
      token = up;
      return make_child(sys, up, {});
    };
    return s;
  }

  startup token;
};

TEST_F(supervisor_tree, starts_and_stops_in_order_throughout) {
  const auto root = spawned(supervise(restart_strategy::rest_for_one,
                                      {supervisor_child("x", inner({spec("a"), spec("b")})),
                                       spec("c"), supervisor_child("y", inner({spec("d")}))}));
  EXPECT_EQ(take_events(), (lines{"s/x/a started", "s/x/b started", "s/x started", "s/c started",
                                  "s/y/d started", "s/y started"}));
  self->send_exit(root, shutdown_reason());
  EXPECT_EQ(take_events(), (lines{"s/y/d stopped (user_shutdown)", "s/y finished (user_shutdown)",
                                  "s/y stopped (user_shutdown)", "s/c stopped (user_shutdown)",
                                  "s/x/b stopped (user_shutdown)", "s/x/a stopped (user_shutdown)",
                                  "s/x finished (user_shutdown)", "s/x stopped (user_shutdown)",
                                  "s finished (user_shutdown)"}));
}

TEST_F(supervisor_tree, a_supervisor_that_gives_up_is_restarted_by_the_one_above) {
  for (const auto policy : {restart_policy::permanent, restart_policy::transient}) {
    const auto root = started(supervise(restart_strategy::one_for_one,
                                        {supervisor_child("x", inner({spec("a")}), policy)}));
    end(inner_of(root, "x"), "a", mishap());
    take_events();
    end(inner_of(root, "x"), "a", mishap());
    EXPECT_EQ(take_events(), (lines{"s/x/a ended (bad_function_call)", "s/x gave up on s/x/a",
                                    "s/x finished (too many restarts: s/x/a)",
                                    "s/x ended (too many restarts: s/x/a)", "s/x/a started",
                                    "s/x restarted (1)"}));
  }
}

TEST_F(supervisor_tree, failure_goes_up_to_the_root) {
  const auto root = started(
      supervise(restart_strategy::one_for_one, {supervisor_child("x", inner({spec("a")}))}));
  for (int i = 0; i < 3; ++i)
    end(inner_of(root, "x"), "a", mishap());
  EXPECT_EQ(end_of(root), std::nullopt);
  end(inner_of(root, "x"), "a", mishap());
  EXPECT_EQ(end_of(root), supervisor_errc::too_many_restarts);
}

TEST_F(supervisor_tree, a_failed_start_below_is_a_failed_start_above) {
  conducts["b"].start = on_start::fails;
  const auto root = spawned(supervise(restart_strategy::one_for_one,
                                      {spec("a"), supervisor_child("x", inner({spec("b")}))}));
  EXPECT_EQ(take_events(),
            (lines{"s/a started", "s/x/b did not start (bad_function_call)",
                   "s/x finished (start failed: s/x/b: bad_function_call)",
                   "s/x did not start (start failed: s/x/b: bad_function_call)",
                   "s/a stopped (user_shutdown)",
                   "s finished (start failed: s/x: start failed: s/x/b: bad_function_call)"}));
}

TEST_F(supervisor_tree, ends_by_itself_from_the_leaves_up) {
  const auto leaf = [&](const char* id) { return spec(id, restart_policy::transient); };
  const auto branch = [&](std::vector<child_spec> children) {
    auto settings = inner(std::move(children));
    settings.ends_with_children = true;
    return settings;
  };
  auto settings =
      supervise(restart_strategy::rest_for_one,
                {supervisor_child("x", branch({leaf("a"), leaf("b")}), restart_policy::transient),
                 supervisor_child("y", branch({leaf("c")}), restart_policy::transient)});
  settings.ends_with_children = true;
  const auto root = started(std::move(settings));
  end(inner_of(root, "x"), "b", {});
  end(inner_of(root, "y"), "c", {});
  take_events();
  end(inner_of(root, "x"), "a", {});
  EXPECT_EQ(take_events(), (lines{"s/x/a ended (normal)", "s/x has no children left (normal)",
                                  "s/x finished (normal)", "s/x ended (normal)",
                                  "s has no children left (normal)", "s finished (normal)"}));
  EXPECT_EQ(end_of(root), caf::error{});
}

TEST_F(supervisor_tree, an_end_of_all_children_tells_whether_all_ended_normally) {
  const auto s =
      started(supervise(restart_strategy::one_for_one, {spec("a", restart_policy::transient),
                                                        spec("t", restart_policy::temporary)}));
  end(s, "t", mishap());
  end(s, "a", {});
  EXPECT_EQ(take_events().back(), "s has no children left (user_shutdown)");
  EXPECT_EQ(end_of(s), std::nullopt) << "it stays unless it is to end";
  ask<caf::actor>(s, restart_child{"a"});
  end(s, "a", {});
  EXPECT_EQ(take_events().back(), "s has no children left (normal)");
}

TEST_F(supervisor_tree, a_child_that_recovered_and_then_ended_normally_has_ended_normally) {
  const auto s =
      started(supervise(restart_strategy::one_for_one, {spec("a", restart_policy::transient)}));
  end(s, "a", mishap());
  end(s, "a", {});
  EXPECT_EQ(take_events().back(), "s has no children left (normal)");
}

TEST_F(supervisor_tree, children_that_others_terminate_are_no_end_of_all) {
  auto settings = supervise(restart_strategy::one_for_one, {spec("a"), spec("b")});
  settings.ends_with_children = true;
  const auto s = started(std::move(settings));
  refusal(s, terminate_child{"a"});
  refusal(s, terminate_child{"b"});
  EXPECT_EQ(end_of(s), std::nullopt);
}

// -- names --

TEST_F(supervisor_tree, children_find_each_other_by_path) {
  const auto root = started(supervise(restart_strategy::one_for_one,
                                      {spec("a"), supervisor_child("x", inner({spec("b")})),
                                       supervisor_child("y", inner({spec("c"), seeker()}))}));
  EXPECT_EQ(token.path(), "s/y/seeker");
  EXPECT_EQ(token.sibling("c"), child_of(inner_of(root, "y"), "c"));
  EXPECT_EQ(token.sibling("a"), child_of(root, "a")) << "in the supervisor above";
  EXPECT_EQ(token.sibling("x/b"), child_of(inner_of(root, "x"), "b"));
  EXPECT_EQ(token.sibling<supervisor_actor>("x"), inner_of(root, "x"));
  for (const auto* nobody : {"b", "x/c", "x/b/c", "nobody", "", "/", "x/"})
    EXPECT_FALSE(token.sibling(nobody)) << nobody;
}

TEST_F(supervisor_tree, a_sibling_is_found_when_it_is_up_and_as_long_as_it_is) {
  bool found = true;
  auto first = spec("first");
  first.start = [&](caf::actor_system& sys, const startup& up) {
    token = up;
    found = static_cast<bool>(up.sibling("a"));
    return make_child(sys, up, {});
  };
  const auto s = started(supervise(restart_strategy::one_for_one, {first, spec("a")}));
  EXPECT_FALSE(found);
  const auto before = token.sibling("a");
  EXPECT_TRUE(before);
  end(s, "a", mishap());
  const auto after = token.sibling("a");
  EXPECT_TRUE(after);
  EXPECT_NE(after, before);
  refusal(s, terminate_child{"a"});
  EXPECT_FALSE(token.sibling("a"));
}

TEST_F(supervisor_tree, children_below_a_restarted_supervisor_are_found_again) {
  const auto root = started(supervise(restart_strategy::one_for_one,
                                      {seeker(), supervisor_child("x", inner({spec("b")}))}));
  self->send_exit(inner_of(root, "x"), mishap());
  run();
  EXPECT_TRUE(token.sibling("x/b"));
  EXPECT_EQ(token.sibling("x/b"), child_of(inner_of(root, "x"), "b"));
}

TEST_F(supervisor_tree, a_startup_keeps_nobody_alive) {
  const auto s = started(supervise(restart_strategy::one_for_one, {seeker(), spec("b")}));
  self->send_exit(s, shutdown_reason());
  run();
  EXPECT_EQ(living(), 0);
  EXPECT_FALSE(token.sibling("b"));
  token.up();
}

TEST_F(supervisor_tree, an_actor_without_a_supervisor_has_a_startup_that_does_nothing) {
  const startup none;
  none.up();
  none.ignore();
  none.failed(mishap());
  EXPECT_FALSE(none.sibling("a"));
  EXPECT_EQ(none.path(), "");
  EXPECT_THROW(none.argument<int>(), std::bad_any_cast);
}

// -- nothing is left behind --

TEST_F(supervisor_tree, restarts_leave_nothing_behind) {
  auto settings = supervise(restart_strategy::one_for_all, {spec("a"), spec("b")});
  settings.intensity = 1000;
  const auto s = started(std::move(settings));
  for (int i = 0; i < 100; ++i) {
    end(s, "a", mishap());
    ASSERT_EQ(living(), 2);
  }
  EXPECT_LE(scheduler().trigger_timeouts(), 1u);
}

} // namespace
} // namespace weir
