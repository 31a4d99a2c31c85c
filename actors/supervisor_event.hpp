/// What supervisors report.
#pragma once

#include <cstdint>
#include <string>

#include <caf/actor_addr.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>

namespace weir {

/// Something happened to a child, or to the supervisor itself. Sent as a message to subscribers, in
/// the order of the happenings.
struct supervisor_event {
  enum class kind : std::uint8_t {
    /// A child is up.
    started,
    /// A child is up again, for the `restarts`th time.
    restarted,
    /// A child said that it is not needed.
    ignored,
    /// A child did not start, because of `reason`. If that was a restart, there will be another.
    start_failed,
    /// A child ended by itself, with `reason`.
    ended,
    /// A child ended because the supervisor made it, with `reason`.
    stopped,
    /// A child did not end within its shutdown time and has been killed.
    killed,
    /// A child did not end when it was killed: it is still in a handler. Nobody waits for it.
    abandoned,
    /// One restart too many, because of `child`: the supervisor stops its children and ends.
    gave_up,
    /// No child is left, all have ended by themselves; without `reason`, all ended without error.
    all_ended,
    /// The supervisor itself ends, with `reason`; its children have ended.
    finished,
  };

  kind what = kind::started;
  /// The supervisor's name, or its path below the root.
  std::string supervisor;
  /// The child's id; empty for the supervisor itself, and for children without a name.
  std::string child;
  /// The child's actor, which the event does not keep alive.
  caf::actor_addr actor;
  caf::error reason;
  std::uint64_t restarts = 0;
};

/// One line, for people.
std::string to_string(const supervisor_event& event);

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::supervisor_event)
