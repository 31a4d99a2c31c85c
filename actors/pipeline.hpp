/// The whole way of a packet as one call: capture, dispatchers, sessions, writers, and the
/// supervisors that keep them going.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include <weir/actors/capture.hpp>
#include <weir/actors/gauges.hpp>
#include <weir/net/capture/packet_filter.hpp>
#include <weir/net/output/file_accumulator.hpp>
#include <weir/net/packet_source.hpp>

namespace weir {

/// Kinds of supervised actors, in the order of their start.
enum class actor_kind : std::uint8_t { writer, dispatcher, capture };

inline constexpr std::size_t actor_kind_count = 3;

/// The living pipeline, as of now.
struct pipeline_status {
  const pipeline_gauges& gauges;
  /// Living actors.
  std::array<std::size_t, actor_kind_count> actors{};
  std::uint64_t session_actors = 0;
  std::array<std::uint64_t, actor_kind_count> restarts{};
  std::size_t memory_used = 0;
  std::size_t memory_limit = 0;
  std::size_t blocks_in_use = 0;
  std::size_t max_blocks = 0;
};

struct pipeline_options {
  std::optional<packet_filter> filter;
  decoder_options decoding;
  flow_options flows;
  session_options sessions;
  /// Stop after this many packets; zero: no limit.
  std::uint64_t max_packets = 0;
  /// Dispatchers, each with a thread of its own.
  std::size_t dispatchers = 1;
  /// For everything that grows with the traffic, in bytes: three eighths of it for blocks on
  /// their way.
  std::size_t memory = 224 << 20;
  /// A writer actor for each, with a thread of its own; may be empty where accumulators do not
  /// store.
  std::vector<std::unique_ptr<session_store>> stores;
  /// Makes the factory of accumulators, given the way to the writers and the memory budget.
  std::function<accumulator_factory(store_port&, memory_budget&)> accumulators;

  /// Called about every `interval`, from the calling thread. False: stop taking packets, and
  /// finish.
  std::function<bool(const pipeline_status&)> watch = {};
  std::chrono::milliseconds interval{200};
  /// Called for each restart, and when one restart too many ends the run, with a line for people.
  std::function<void(const std::string&)> on_failure = {};
  /// Restarts of actors of one kind within ten seconds, beyond which the run ends with what it has.
  std::uint32_t max_restarts = 5;
  /// After being told to stop, a pipeline in which nothing moves for this long is left alone.
  std::chrono::milliseconds stop_patience{10'000};
  /// For whoever wants to see or to disturb the tree: called with its root when all are up.
  std::function<void(const caf::actor&)> on_start = {};
};

struct pipeline_report {
  capture_report capture;
  flow_counters flows;
  store_counters stored;
  std::optional<error> first_write_error;
  std::array<std::uint64_t, actor_kind_count> restarts{};
  /// Sessions that ended as `failed` because their dispatcher did, and segments that it left.
  std::uint64_t sessions_abandoned = 0;
  std::uint64_t segments_lost = 0;
  /// Sessions that failed without an accumulator to tell.
  std::uint64_t sessions_untold = 0;
  /// Ended before the input did, because an actor failed again and again.
  bool gave_up = false;
  /// Told to stop, it did not: something hangs. Actors may still be alive.
  bool hung = false;
};

/// Runs `source` to its end and returns when every session has ended and every file is written.
///
/// A supervisor starts and watches captures, dispatchers and writers, each kind below a supervisor
/// of its own (one_for_one: what an actor must not lose lies in its lane, so that no other has to
/// be restarted with it). Sessions are not supervised: each fails alone.
pipeline_report run_pipeline(caf::actor_system& system, std::unique_ptr<packet_source> source,
                             pipeline_options options);

} // namespace weir
