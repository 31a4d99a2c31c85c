/// The actor that owns the flows of one shard: it spawns a session for each established connection
/// and tells it what a block holds for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include <caf/actor.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/actors/lane.hpp>
#include <weir/actors/session_shell.hpp>
#include <weir/net/session/flow_table.hpp>

namespace weir {

/// What outlives a dispatcher: the blocks that wait for it, and what it counted. Its flows do not:
/// when it dies, their sessions end as `failed` with all they had, and what still comes of their
/// traffic starts sessions midstream.
class dispatcher_lane : public lane<dispatcher_actor> {
public:
  // -- from any thread ------------------------------------------------------------

  void add(block_ref block);

  /// No more blocks will come.
  void close();

  bool done() const noexcept { return done_; }

  /// Memory will not come back any more: there is no use in waiting for it.
  void stop_waiting() noexcept { waits_ = false; }

  // -- by the dispatcher, or when it has ended for good -------------------------------

  /// The next block; none where none waits.
  block_ref take();

  bool waits() const noexcept { return waits_; }

  /// True where no block waits and none will come.
  bool at_end() const;

  void count(const flow_counters& flows) noexcept { flows_.add(flows); }
  /// Segments of a block that was never finished.
  void count_lost(std::uint64_t segments) noexcept { segments_lost_ += segments; }
  void count_abandoned(std::uint64_t sessions) noexcept { sessions_abandoned_ += sessions; }
  void finish() noexcept { done_ = true; }

  /// With no dispatcher any more: lets go of what waits, and counts it as lost.
  void drop(std::uint32_t shard);

  const flow_counters& flows() const noexcept { return flows_; }
  std::uint64_t segments_lost() const noexcept { return segments_lost_; }
  std::uint64_t sessions_abandoned() const noexcept { return sessions_abandoned_; }

private:
  mutable std::mutex mutex_;
  std::deque<block_ref> waiting_;
  bool closed_ = false;
  std::atomic<bool> done_{false};
  std::atomic<bool> waits_{true};
  flow_counters flows_;
  std::uint64_t segments_lost_ = 0;
  std::uint64_t sessions_abandoned_ = 0;
};

struct dispatcher_config {
  std::uint32_t shard = 0;
  std::size_t shards = 1;
  flow_options flows;
  std::shared_ptr<const session_environment> environment;
  std::shared_ptr<session_census> census;
  std::shared_ptr<pipeline_gauges> gauges;
  std::shared_ptr<dispatcher_lane> lane;
  /// Gets `lane_done`.
  caf::actor parent;
};

/// On a thread of its own.
dispatcher_actor spawn_dispatcher(caf::actor_system& system, dispatcher_config config);

} // namespace weir
