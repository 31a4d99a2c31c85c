/// The actor that owns the flows of one shard: it spawns a session for each established connection
/// and tells it what a block holds for it.
#pragma once

#include <cstdint>
#include <memory>

#include <caf/actor.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/actors/session_shell.hpp>

namespace weir {

struct dispatcher_config {
  std::uint32_t shard = 0;
  flow_options flows;
  std::shared_ptr<const session_environment> environment;
  std::shared_ptr<pipeline_gauges> gauges;
  /// Gets the `dispatcher_report`.
  caf::actor parent;
};

/// On a thread of its own.
dispatcher_actor spawn_dispatcher(caf::actor_system& system, dispatcher_config config);

} // namespace weir
