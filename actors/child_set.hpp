/// What a supervisor's strategy decides, behind one interface.
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>

#include <weir/actors/child_lifecycle.hpp>

namespace weir {

/// One child, as `which_children` answers.
struct child_info {
  /// Empty with simple_one_for_one.
  std::string id;
  /// Empty unless starting, up or stopping.
  caf::actor actor;
  child_state state = child_state::stopped;
  std::uint64_t restarts = 0;
};

struct child_counts {
  /// Specifications; one with simple_one_for_one.
  std::size_t specs = 0;
  /// Children that are up.
  std::size_t active = 0;
};

/// Answers a request, once: with an error, or without one and with the actor, where there is one.
/// Empty where nobody waits.
using child_reply = std::function<void(const caf::error&, const caf::strong_actor_ptr&)>;

/// All children of a supervisor. Requests are answered through their reply, now or later.
class child_set {
public:
  /// The supervisor.
  class owner {
  public:
    virtual ~owner() = default;
    /// All initial children are up, or one is not.
    virtual void on_begun() = 0;
    virtual void on_begin_failed(const std::string& id, const caf::error& reason) = 0;
    /// One restart too many.
    virtual void on_too_many_restarts(const supervised_child& child) = 0;
    /// No child is left, and the last has ended by itself. `in_order`: all ended without an error.
    virtual void on_all_ended(bool in_order) = 0;
    /// After `stop_all`.
    virtual void on_all_stopped() = 0;
  };

  virtual ~child_set() = default;

  /// Starts the initial children.
  virtual void begin() = 0;
  virtual void start(child_spec spec, child_reply reply) = 0;
  virtual void start_with(std::any argument, child_reply reply) = 0;
  virtual void terminate(const std::string& id, child_reply reply) = 0;
  virtual void terminate(const caf::actor_addr& actor, child_reply reply) = 0;
  virtual void restart(const std::string& id, child_reply reply) = 0;
  virtual void remove(const std::string& id, child_reply reply) = 0;
  virtual std::vector<child_info> list() const = 0;
  virtual child_counts count() const = 0;
  /// Drops what is under way and waiting, and stops all children.
  virtual void stop_all() = 0;
  /// Answers whoever waits with `supervisor_errc::stopping`. Part of `stop_all`.
  virtual void refuse_waiting() = 0;
};

inline void answer(const child_reply& reply, const caf::error& error,
                   const caf::strong_actor_ptr& actor = nullptr) {
  if (reply) reply(error, actor);
}

inline child_info info_of(const supervised_child& child) {
  return {child.spec->id, caf::actor_cast<caf::actor>(child.actor), child.state, child.restarts};
}

inline bool needs_restart(const supervised_child& child, bool ended_in_order) {
  switch (child.spec->restart) {
  case restart_policy::permanent: return true;
  case restart_policy::transient: return !ended_in_order;
  case restart_policy::temporary: return false;
  }
  return false;
}

} // namespace weir
