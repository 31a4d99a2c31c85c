/// Supervisors on CAF's ordinary schedulers, with children on threads of their own.
#include <weir/actors/supervisor.hpp>

#include <atomic>
#include <future>
#include <mutex>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <weir/actors/scheduler.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;

/// Tells the child to end.
struct leave {};

using guest = caf::typed_actor<handles<leave>>;

} // namespace
} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::leave)

namespace weir {
namespace {

class detached_guest : public guest::base {
public:
  detached_guest(caf::actor_config& config, startup start, std::shared_ptr<std::atomic<int>> living)
      : guest::base(config), start_(std::move(start)), living_(std::move(living)) {
    ++*living_;
  }
  ~detached_guest() override { --*living_; }

  behavior_type make_behavior() override {
    start_.up();
    return {[this](leave) { quit(); }};
  }

private:
  startup start_;
  std::shared_ptr<std::atomic<int>> living_;
};

class supervisor_threads : public ::testing::Test {
protected:
  supervisor_threads() {
    tune(config_);
    system.emplace(config_);
  }

  ~supervisor_threads() override {
    // Waits for all actors.
    system.reset();
    EXPECT_EQ(*living, 0);
  }

  child_spec detached(std::string id, restart_policy restart) {
    return {std::move(id),
            [this](caf::actor_system& sys, const startup& up) {
              return sys.spawn<detached_guest, caf::detached>(up, living);
            },
            restart};
  }

  static supervisor_spec tree(std::vector<child_spec> children) {
    supervisor_spec settings;
    settings.strategy = restart_strategy::rest_for_one;
    settings.children = std::move(children);
    settings.intensity = 1000;
    settings.ends_with_children = true;
    settings.detached = true;
    return settings;
  }

  /// Waits for the end of an actor, and for its reason.
  template<class Handle>
  caf::error wait_for(const Handle& actor) {
    caf::scoped_actor self{*system};
    self->monitor(actor);
    caf::error reason;
    self->receive([&](const caf::down_msg& message) { reason = message.reason; });
    return reason;
  }

  std::vector<child_info> children_of(const supervisor_actor& s) {
    caf::scoped_actor self{*system};
    std::vector<child_info> answer;
    self->request(s, caf::infinite, which_children{})
        .receive([&](std::vector<child_info>& all) { answer = std::move(all); },
                 [](const caf::error& e) { FAIL() << reason_text(e); });
    return answer;
  }

  std::shared_ptr<std::atomic<int>> living = std::make_shared<std::atomic<int>>(0);

private:
  caf::actor_system_config config_;

protected:
  std::optional<caf::actor_system> system;
};

TEST_F(supervisor_threads, a_tree_of_detached_children_ends_by_itself) {
  const auto branch = [&](std::string id) {
    auto transient = restart_policy::transient;
    return supervisor_child(std::move(id),
                            tree({detached("0", transient), detached("1", transient)}), transient);
  };
  const auto root = start_supervisor(*system, tree({branch("writers"), branch("captures")}));
  ASSERT_TRUE(root);
  for (const auto& child : children_of(*root)) {
    for (const auto& leaf : children_of(caf::actor_cast<supervisor_actor>(child.actor)))
      caf::anon_send(leaf.actor, leave{});
  }
  EXPECT_EQ(wait_for(*root), caf::error{}) << "normal";
}

TEST_F(supervisor_threads, a_permanent_child_comes_back_as_often_as_it_ends) {
  auto settings = tree({detached("a", restart_policy::permanent)});
  caf::scoped_actor self{*system};
  settings.subscribers = {caf::actor{self}};
  const auto s = start_supervisor(*system, std::move(settings));
  ASSERT_TRUE(s);
  for (std::uint64_t restarts = 1; restarts <= 20; ++restarts) {
    caf::anon_send(children_of(*s).at(0).actor, leave{});
    bool back = false;
    self->receive_while([&] { return !back; })([&](const supervisor_event& event) {
      back = event.what == supervisor_event::kind::restarted && event.restarts == restarts;
    });
  }
  self->send_exit(*s, caf::exit_reason::user_shutdown);
  EXPECT_EQ(wait_for(*s), caf::exit_reason::user_shutdown);
}

TEST_F(supervisor_threads, start_supervisor_says_what_failed) {
  auto settings = tree({detached("a", restart_policy::permanent)});
  settings.children.push_back({"b", [](caf::actor_system&, const startup& up) {
                                 up.failed(caf::sec::cannot_open_file);
                                 return nullptr;
                               }});
  const auto s = start_supervisor(*system, std::move(settings));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error(), supervisor_errc::start_failed);
  EXPECT_EQ(reason_text(s.error()), "start failed: supervisor/b: cannot_open_file");
}

TEST_F(supervisor_threads, a_child_that_blocks_its_thread_is_abandoned) {
  std::promise<void> let_go;
  auto settings = tree({});
  const auto stuck = [](caf::event_based_actor*, const startup& up,
                        const std::shared_future<void>& gate) -> caf::behavior {
    up.up();
    gate.wait();
    return {[](leave) {}};
  };
  settings.children.push_back(
      {"stuck",
       [&, gate = let_go.get_future().share()](caf::actor_system& sys, const startup& up) {
         return sys.spawn<caf::detached>(stuck, up, gate);
       },
       restart_policy::permanent, shutdown_policy::within(1ms)});
  settings.kill_grace = 1ms;
  caf::scoped_actor self{*system};
  settings.subscribers = {caf::actor{self}};
  const auto s = start_supervisor(*system, std::move(settings));
  ASSERT_TRUE(s);
  self->send_exit(*s, caf::exit_reason::user_shutdown);
  EXPECT_EQ(wait_for(*s), caf::exit_reason::user_shutdown);
  std::vector<supervisor_event::kind> seen;
  for (int i = 0; i < 4; ++i)
    self->receive([&](const supervisor_event& event) { seen.push_back(event.what); });
  using kind = supervisor_event::kind;
  EXPECT_EQ(seen, (std::vector{kind::started, kind::killed, kind::abandoned, kind::finished}));
  let_go.set_value();
}

TEST_F(supervisor_threads, blocking_actors_can_be_children) {
  auto settings = tree({});
  const auto blocking = [](caf::blocking_actor* actor, const startup& up) {
    up.up();
    actor->receive([](leave) {});
  };
  settings.children.push_back({"blocking",
                               [&](caf::actor_system& sys, const startup& up) {
                                 return sys.spawn<caf::detached>(blocking, up);
                               },
                               restart_policy::transient});
  const auto s = start_supervisor(*system, std::move(settings));
  ASSERT_TRUE(s);
  caf::anon_send(children_of(*s).at(0).actor, leave{});
  EXPECT_EQ(wait_for(*s), caf::error{});
}

TEST_F(supervisor_threads, thousands_of_children_come_and_go) {
  supervisor_spec settings;
  settings.strategy = restart_strategy::simple_one_for_one;
  settings.children = {detached("session", restart_policy::temporary)};
  settings.children[0].start = [this](caf::actor_system& sys, const startup& up) {
    return sys.spawn<detached_guest>(up, living);
  };
  const auto s = start_supervisor(*system, std::move(settings));
  ASSERT_TRUE(s);
  caf::scoped_actor self{*system};
  for (int i = 0; i < 2000; ++i) {
    self->request(*s, caf::infinite, start_dynamic_child{})
        .receive(
            [&](const caf::actor& child) {
              if (i % 2 == 0) self->send(child, leave{});
            },
            [](const caf::error& e) { FAIL() << reason_text(e); });
  }
  self->send_exit(*s, caf::exit_reason::user_shutdown);
  EXPECT_EQ(wait_for(*s), caf::exit_reason::user_shutdown);
}

} // namespace
} // namespace weir
