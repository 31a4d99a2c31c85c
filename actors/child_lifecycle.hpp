/// The life of one supervised child, from its factory to its end: the part that all strategies
/// have in common.
#pragma once

#include <any>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include <caf/actor_addr.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>

#include <weir/actors/deadline_queue.hpp>
#include <weir/actors/startup.hpp>
#include <weir/actors/supervisor_event.hpp>
#include <weir/actors/supervisor_spec.hpp>

namespace weir {

enum class child_state : std::uint8_t {
  /// There is no actor: terminated, ended for good, or never needed.
  stopped,
  /// There is an actor that has not said yet that it is up.
  starting,
  up,
  /// Asked to end.
  stopping,
  /// There is no actor, but there will be.
  restarting,
};

/// A child specification and what has become of it.
struct supervised_child {
  std::shared_ptr<const child_spec> spec;
  /// For a child without a name: what it was started with, and what tells it from the others.
  std::any argument;
  std::uint64_t number = 0;

  child_state state = child_state::stopped;
  /// The latest start; unlike any other, of any child.
  std::uint64_t run = 0;
  /// Null unless starting, up or stopping.
  caf::strong_actor_ptr actor;
  std::uint64_t restarts = 0;
};

/// Starts and stops children, one run at a time each: the next begins when the actor of the one
/// before is gone, or has been abandoned. Everything comes back through the listener, never from
/// within `start` or `stop`.
class child_lifecycle {
public:
  using time_point = deadline_queue::time_point;

  /// What came of it. The child is not touched afterwards, and may be destroyed.
  class listener {
  public:
    virtual ~listener() = default;
    virtual void on_up(supervised_child& child) = 0;
    virtual void on_ignored(supervised_child& child) = 0;
    virtual void on_start_failed(supervised_child& child, const caf::error& reason) = 0;
    /// The child was up and has ended by itself.
    virtual void on_ended(supervised_child& child, const caf::error& reason) = 0;
    /// The child has ended, or has been abandoned, after `stop`.
    virtual void on_stopped(supervised_child& child) = 0;
  };

  /// What this needs of the actor that it is part of.
  class port {
  public:
    virtual ~port() = default;
    virtual time_point time() const = 0;
    /// Calls the child's factory, and throws what it throws.
    virtual caf::strong_actor_ptr make_actor(const supervised_child& child) = 0;
    /// Has the report come back to `reported`, after those that are on their way.
    virtual void post(start_report report) = 0;
    virtual void watch(const caf::strong_actor_ptr& actor) = 0;
    virtual void unwatch(const caf::strong_actor_ptr& actor) = 0;
    virtual void ask_to_end(const caf::strong_actor_ptr& actor) = 0;
    virtual void kill(const caf::strong_actor_ptr& actor) = 0;
    virtual void kill_later(const caf::strong_actor_ptr& actor, std::chrono::nanoseconds delay) = 0;
    /// Has `expire` called at `when`.
    virtual void wake_at(time_point when) = 0;
    virtual void report(supervisor_event event) = 0;
  };

  child_lifecycle(port& actor, std::shared_ptr<sibling_names> names,
                  std::chrono::nanoseconds kill_grace)
      : port_(actor), names_(std::move(names)), kill_grace_(kill_grace) {}

  void set_listener(listener& of) noexcept { listener_ = &of; }

  /// The child has no actor. `again`: this is a restart.
  void start(supervised_child& child, bool again);
  /// False if there is no actor to wait for. Also for a child that is stopping already.
  bool stop(supervised_child& child);
  /// The child whose actor this is now.
  supervised_child* find(const caf::actor_addr& actor);

  void reported(const start_report& report);
  /// A watched actor is gone.
  void down(const caf::actor_addr& actor, const caf::error& reason);
  void expire(time_point now);
  std::optional<time_point> next_deadline() const { return deadlines_.earliest(); }

  /// The supervisor is being killed: asks all children to end and sees to it that each is killed
  /// after its time, without waiting for anything.
  void let_go();

private:
  enum class phase : std::uint8_t { starting, up, asked, killed };
  enum class outcome : std::uint8_t { stopped, ignored, failed };

  struct run {
    supervised_child* child;
    bool again;
    phase at = phase::starting;
    /// What is to be said when the actor is gone.
    outcome then = outcome::stopped;
    caf::error failure = {};
  };

  run* find_run(std::uint64_t number);
  void set_deadline(std::uint64_t number, std::chrono::nanoseconds delay);
  void came_up(run& r);
  void give_up_start(run& r, outcome then, caf::error failure);
  void ask(run& r);
  void kill(run& r);
  void release(std::uint64_t number);
  void conclude(const run& r);
  void report(supervisor_event::kind what, const supervised_child& child,
              const caf::actor_addr& actor, const caf::error& reason = {});

  port& port_;
  listener* listener_ = nullptr;
  std::shared_ptr<sibling_names> names_;
  std::chrono::nanoseconds kill_grace_;
  std::uint64_t runs_ = 0;
  /// Those that have not ended, by number.
  std::unordered_map<std::uint64_t, run> running_;
  std::unordered_map<caf::actor_addr, std::uint64_t> by_actor_;
  deadline_queue deadlines_;
};

} // namespace weir
