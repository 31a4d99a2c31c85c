/// The scheduler that weir's own programs run with. A pipeline runs on any of CAF's schedulers;
/// this one is for many short-lived actors.
#pragma once

#include <caf/fwd.hpp>

namespace weir {

/// To be called before the `actor_system` is made. Sets one queue for all workers, because work
/// stealing, CAF's default, collapses with many ready actors; and half as many workers as there are
/// processors, because the dispatchers, the capture and the writers have threads of their own.
///
/// With CAF 0.17 it also replaces two parts of CAF's `sharing` scheduler: workers take jobs by the
/// dozen, and the end of an actor wakes the clock only once timeouts are in use. CAF wakes its
/// clock for each, to cancel timeouts that the actor may have set: a tenth of the time with many
/// small sessions.
void tune(caf::actor_system_config& config);

} // namespace weir
