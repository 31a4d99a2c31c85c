/// Supervisors under CAF's deterministic scheduler and clock, with children that do as they are
/// told.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include <weir/actors/supervisor.hpp>

namespace weir::test {

using namespace std::chrono_literals;

/// Ends the child with this reason.
struct end_with {
  caf::error reason;
};

/// Makes the child do one piece of work.
struct work {};

/// Makes the child's handler throw.
struct throw_this {
  std::string text;
};

} // namespace weir::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::test::end_with)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::test::work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::test::throw_this)

namespace weir::test {

/// How a child starts.
enum class on_start {
  up,
  silent,
  fails,
  ignores,
  ends,
  factory_throws,
  factory_ignores,
  no_actor,
  no_actor_but_up
};
/// What a child does when it is asked to end.
enum class on_exit { ends, refuses, ends_abnormally };

struct conduct {
  on_start start = on_start::up;
  on_exit exit = on_exit::ends;
};

inline caf::error mishap() { return caf::sec::bad_function_call; }
inline caf::error shutdown_reason() { return caf::exit_reason::user_shutdown; }

/// What all children of a test have done, and how many there are.
struct tally {
  int living = 0;
  int works = 0;
};

/// Does as its conduct says, and is counted.
class child : public caf::event_based_actor {
public:
  child(caf::actor_config& config, startup start, conduct how, std::shared_ptr<tally> counts)
      : caf::event_based_actor(config),
        start_(std::move(start)),
        how_(how),
        counts_(std::move(counts)) {
    ++counts_->living;
    keep_exception_text(*this);
  }
  ~child() override { --counts_->living; }

  caf::behavior make_behavior() override {
    if (how_.exit != on_exit::ends) {
      set_exit_handler([this](const caf::exit_msg&) {
        if (how_.exit == on_exit::ends_abnormally) quit(mishap());
      });
    }
    switch (how_.start) {
    case on_start::fails: start_.failed(mishap()); break;
    case on_start::ignores: start_.ignore(); break;
    case on_start::ends: quit(); break;
    case on_start::up: start_.up(); break;
    default: break;
    }
    return {
        [this](const end_with& e) { quit(e.reason); },
        [this](work) { ++counts_->works; },
        [](const throw_this& t) { throw std::runtime_error{t.text}; },
    };
  }

private:
  startup start_;
  conduct how_;
  std::shared_ptr<tally> counts_;
};

/// Fails if a child is left at the end of a test.
class supervision : public ::testing::Test {
protected:
  using lines = std::vector<std::string>;

  supervision() : system(config_), self(system) {
    recorder = system.spawn(record, &events_);
    run();
  }

  ~supervision() override {
    frozen_.clear();
    for (const auto& each : supervisors_)
      self->send_exit(each, caf::exit_reason::user_shutdown);
    // More than any deadline of these tests, and more than one after the other.
    for (int i = 0; i < 100; ++i)
      advance(1min);
    supervisors_.clear();
    self->send_exit(recorder, caf::exit_reason::kill);
    run();
    EXPECT_EQ(living(), 0) << "children that outlived their supervisor, or that something keeps";
  }

  // -- making children and supervisors --

  /// A child that behaves at each start as `conducts[id]` says by then.
  child_spec spec(std::string id, restart_policy restart = restart_policy::permanent) {
    const auto start = [this, id](caf::actor_system& sys, const startup& up) {
      return make_child(sys, up, conducts[id]);
    };
    return {std::move(id), start, restart, shutdown_policy::within(5s), std::nullopt};
  }

  child_handle make_child(caf::actor_system& sys, const startup& up, conduct how) {
    if (how.start == on_start::factory_throws) throw std::runtime_error{"no luck"};
    if (how.start == on_start::factory_ignores) {
      up.ignore();
      return nullptr;
    }
    if (how.start == on_start::no_actor_but_up) up.up();
    if (how.start == on_start::no_actor || how.start == on_start::no_actor_but_up) return nullptr;
    const auto actor = sys.spawn<child>(up, how, counts);
    latest = caf::actor_cast<caf::actor_addr>(actor);
    return actor;
  }

  supervisor_spec supervise(restart_strategy strategy, std::vector<child_spec> children) {
    supervisor_spec s;
    // GCC 12 takes the assignment of a literal for an overlapping copy.
    s.name = std::string{"s"};
    s.strategy = strategy;
    s.children = std::move(children);
    s.subscribers = {recorder};
    return s;
  }

  /// Spawns it, lets its children start and forgets the events of that.
  supervisor_actor started(supervisor_spec s) {
    auto actor = spawned(std::move(s));
    run();
    take_events();
    return actor;
  }

  supervisor_actor spawned(supervisor_spec s, const startup& above = {}) {
    auto actor = spawn_supervisor(system, std::move(s), above);
    supervisors_.push_back(actor);
    return actor;
  }

  // -- time --

  void run() {
    scheduler().run_jobs_filtered([this](caf::resumable* job) { return !frozen_.contains(job); });
  }

  void advance(std::chrono::nanoseconds time) {
    run();
    scheduler().advance_time(time);
    run();
  }

  /// From now on the actor is as if it did not return from a handler.
  void freeze(const caf::actor& actor) {
    frozen_.insert(dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(actor)));
  }
  void thaw() { frozen_.clear(); }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

  // -- what happened --

  int living() const { return counts->living; }

  lines take_events() {
    run();
    return std::exchange(events_, {});
  }

  /// The answer to a request, as an error where it is one.
  template<class Answer, class Request>
  caf::expected<Answer> ask(const supervisor_actor& whom, Request request) {
    auto response = self->request(whom, caf::infinite, std::move(request));
    run();
    caf::expected<Answer> answer{caf::error{}};
    response.receive([&](Answer& a) { answer = std::move(a); },
                     [&](caf::error& e) { answer = std::move(e); });
    return answer;
  }

  /// The error that answers a request; none where it was done.
  template<class Request>
  caf::error refusal(const supervisor_actor& whom, Request request) {
    auto response = self->request(whom, caf::infinite, std::move(request));
    run();
    caf::error error;
    response.receive([] {}, [&](caf::error& e) { error = std::move(e); });
    return error;
  }

  std::vector<child_info> children_of(const supervisor_actor& whom) {
    return *ask<std::vector<child_info>>(whom, which_children{});
  }

  /// Null where there is no such child, or where it has no actor.
  caf::actor child_of(const supervisor_actor& whom, const std::string& id) {
    for (const auto& info : children_of(whom))
      if (info.id == id) return info.actor;
    return {};
  }

  std::optional<child_state> state_of(const supervisor_actor& whom, const std::string& id) {
    for (const auto& info : children_of(whom))
      if (info.id == id) return info.state;
    return std::nullopt;
  }

  /// Makes a child end by itself.
  void end(const supervisor_actor& whom, const std::string& id, caf::error reason) {
    self->send(child_of(whom, id), end_with{std::move(reason)});
    run();
  }

  /// Why an actor ended; no value while it lives.
  template<class Handle>
  std::optional<caf::error> end_of(const Handle& actor) {
    std::optional<caf::error> reason;
    self->monitor(actor);
    run();
    self->receive([&](const caf::down_msg& message) { reason = message.reason; },
                  caf::after(0s) >> [] {});
    self->demonitor(actor.address());
    return reason;
  }

private:
  // An argument each: without one, CAF 0.17 spawns a function by way of a null pointer, which the
  // standard library's assertions find.
  static caf::behavior record(caf::event_based_actor*, lines* events) {
    return {[events](const supervisor_event& event) { events->push_back(to_string(event)); }};
  }

  struct testing_config : caf::actor_system_config {
    testing_config() { set("scheduler.policy", caf::atom("testing")); }
  };

  testing_config config_;

protected:
  std::map<std::string, conduct> conducts;
  std::shared_ptr<tally> counts = std::make_shared<tally>();
  caf::actor_system system;
  caf::scoped_actor self;
  /// The child that was made last.
  caf::actor_addr latest;
  caf::actor recorder;

private:
  lines events_;
  std::set<caf::resumable*> frozen_;
  std::vector<supervisor_actor> supervisors_;
};

} // namespace weir::test
