/// OTP's supervisor for CAF: starts actors in order, restarts them when they fail, gives up when
/// that does not help, and stops them in reverse order. docs/supervisor.md has the whole story.
#pragma once

#include <any>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>

#include <weir/actors/child_set.hpp>
#include <weir/actors/compat.hpp>
#include <weir/actors/startup.hpp>
#include <weir/actors/supervisor_error.hpp>
#include <weir/actors/supervisor_event.hpp>
#include <weir/actors/supervisor_spec.hpp>

namespace weir {

// -- messages ---------------------------------------------------------------------

/// Adds a child as the last in order, and starts it.
struct start_child {
  child_spec spec;
};

/// Starts a child of a simple_one_for_one supervisor; its factory finds `argument` in its
/// `startup`.
struct start_dynamic_child {
  std::any argument;
};

/// Stops a child. Its specification stays, unless it is temporary.
struct terminate_child {
  std::string id;
};

/// The same for a child of a simple_one_for_one supervisor, which is forgotten then.
struct terminate_dynamic_child {
  caf::actor_addr actor;
};

/// Starts a child that is stopped.
struct restart_child {
  std::string id;
};

/// Forgets a child that is stopped.
struct delete_child {
  std::string id;
};

struct which_children {};

struct count_children {};

/// Has `subscriber` get each `supervisor_event` from now on. Does not keep it alive.
struct watch_children {
  caf::actor subscriber;
};

/// Stops all children in reverse order, answers, and ends with user_shutdown.
struct stop_supervisor {};

/// A supervisor's own reminder.
struct deadline_reached {
  deadline_queue::time_point when;
};

/// A supervisor. Answers with a `supervisor_errc` what cannot be done. While it is busy starting or
/// stopping children, other changes wait for their turn; an end does not wait.
///
/// Ends when told to, by `stop_supervisor` or an exit message, or when it gives up: with the reason
/// of the exit message, user_shutdown, `supervisor_errc::start_failed` or `too_many_restarts`. All
/// of its children have ended by then, or have been abandoned. Needs no handle to live.
using supervisor_actor = caf::typed_actor<
    answers<caf::actor, start_child>, answers<caf::actor, start_dynamic_child>,
    handles<terminate_child>, handles<terminate_dynamic_child>, answers<caf::actor, restart_child>,
    handles<delete_child>, answers<std::vector<child_info>, which_children>,
    answers<child_counts, count_children>, handles<watch_children>, handles<stop_supervisor>,
    // From a child.
    handles<start_report>, handles<deadline_reached>>;

/// Spawns a supervisor, which starts its children. `above`: for a supervisor that is itself a
/// child, what its factory was given; it is up when all its children are.
supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec,
                                  const startup& above = {});

/// The same, and waits until all children are up: OTP's start_link. With an error, the supervisor
/// has ended. Not from within an actor.
caf::expected<supervisor_actor> start_supervisor(caf::actor_system& system, supervisor_spec spec);

/// A supervisor as a child of another one: its shutdown takes as long as its children need.
child_spec supervisor_child(std::string id, supervisor_spec spec,
                            restart_policy restart = restart_policy::permanent);

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::start_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::start_dynamic_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::terminate_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::terminate_dynamic_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::restart_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::delete_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::which_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::count_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::watch_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::stop_supervisor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::deadline_reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::child_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<weir::child_info>)
