/// What a supervisor is told: its children and how to treat them. The words and the defaults are
/// those of Erlang/OTP's supervisor(3).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/fwd.hpp>

#include <weir/actors/startup.hpp>

namespace weir {

/// When a child that has ended by itself is started again.
enum class restart_policy : std::uint8_t {
  /// Always.
  permanent,
  /// If it ended abnormally: neither without an error nor with user_shutdown.
  transient,
  /// Never; its specification is forgotten when it ends.
  temporary,
};

/// How a child is made to end.
class shutdown_policy {
public:
  /// Asks with user_shutdown, and kills after this time.
  static shutdown_policy within(std::chrono::nanoseconds time) { return {false, time}; }
  /// Kills at once.
  static shutdown_policy kill() { return {true, std::chrono::nanoseconds{0}}; }
  /// Asks with user_shutdown, and waits for as long as it takes: for supervisors, whose own
  /// children have their times. With any other child, a stop may wait forever.
  static shutdown_policy infinity() { return {false, std::nullopt}; }

  bool kills() const noexcept { return kills_; }
  /// No value: any time.
  std::optional<std::chrono::nanoseconds> time() const noexcept { return time_; }

private:
  shutdown_policy(bool kills, std::optional<std::chrono::nanoseconds> time)
      : kills_(kills), time_(time) {}

  bool kills_;
  std::optional<std::chrono::nanoseconds> time_;
};

/// The actor that a factory made, from a handle of any type.
class child_handle {
public:
  template<class Handle>
  child_handle(const Handle& actor) : actor_(caf::actor_cast<caf::strong_actor_ptr>(actor)) {}
  /// No actor, for a factory that has said why: `startup::ignore` or `failed`.
  child_handle(std::nullptr_t) {}

  const caf::strong_actor_ptr& actor() const noexcept { return actor_; }

private:
  caf::strong_actor_ptr actor_;
};

/// Spawns a child. Called within the supervisor, which waits meanwhile: what takes time belongs in
/// the actor. What it throws is a failed start.
using child_factory = std::function<child_handle(caf::actor_system&, const startup&)>;

struct child_spec {
  /// Unlike those of its siblings, not empty, without a slash.
  std::string id = {};
  child_factory start = {};
  restart_policy restart = restart_policy::permanent;
  shutdown_policy shutdown = shutdown_policy::within(std::chrono::seconds{5});
  /// How long the child may take to say that it is up; no value: any time.
  std::optional<std::chrono::nanoseconds> start_timeout = std::nullopt;
};

/// What happens to the siblings of a child that is restarted.
enum class restart_strategy : std::uint8_t {
  /// Nothing.
  one_for_one,
  /// All are stopped, and all are started.
  one_for_all,
  /// Those that were specified after it are stopped, and started after it.
  rest_for_one,
  /// Nothing. All children are made from one specification, at run time, and have no names.
  simple_one_for_one,
};

struct supervisor_spec {
  /// What events and paths call it; below another supervisor, it is called by its path.
  std::string name = "supervisor";
  restart_strategy strategy = restart_strategy::one_for_one;
  /// In the order of their start. With simple_one_for_one: the one specification of all.
  std::vector<child_spec> children = {};
  /// More than `intensity` restarts within `period`, and the supervisor gives up.
  std::uint32_t intensity = 1;
  std::chrono::nanoseconds period = std::chrono::seconds{5};
  /// A child that is killed while it is busy ends when its handler returns. After this time the
  /// supervisor goes on without it.
  std::chrono::nanoseconds kill_grace = std::chrono::seconds{1};
  /// The supervisor ends when the last child has ended by itself and none is to be restarted: with
  /// no error if all ended without one, else with user_shutdown.
  bool ends_with_children = false;
  /// Runs on a thread of its own, where CAF's workers are busy or factories take time.
  bool detached = false;
  /// Get every `supervisor_event`, from the first. Kept alive until the supervisor ends.
  std::vector<caf::actor> subscribers = {};
};

} // namespace weir
