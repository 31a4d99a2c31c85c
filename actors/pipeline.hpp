/// The whole way of a packet as one call: capture, dispatchers, sessions, writers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <caf/fwd.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/net/capture/packet_filter.hpp>
#include <weir/net/output/file_accumulator.hpp>
#include <weir/net/packet_source.hpp>

namespace weir {

struct pipeline_options {
  std::optional<packet_filter> filter;
  decoder_options decoding;
  flow_options flows;
  session_options sessions;
  /// Stop after this many packets; zero: no limit.
  std::uint64_t max_packets = 0;
  /// Dispatchers, each with a thread of its own.
  std::size_t dispatchers = 1;
  /// For everything that grows with the traffic, in bytes: at most half of it for blocks on their
  /// way.
  std::size_t memory = 224 << 20;
  /// A writer actor for each, with a thread of its own; may be empty where accumulators do not
  /// store.
  std::vector<std::unique_ptr<session_store>> stores;
  /// Makes the factory of accumulators, given the way to the writers and the memory budget.
  std::function<accumulator_factory(store_port&, memory_budget&)> accumulators;
};

struct pipeline_report {
  capture_report capture;
  flow_counters flows;
  store_counters stored;
  std::optional<error> first_write_error;
};

/// Runs `source` to its end and returns when every session has ended and every file is written.
/// Calls `watch` about every `interval` from the calling thread.
pipeline_report run_pipeline(caf::actor_system& system, std::unique_ptr<packet_source> source,
                             pipeline_options options,
                             const std::function<void(const pipeline_gauges&)>& watch = {},
                             std::chrono::milliseconds interval = std::chrono::milliseconds{200});

} // namespace weir
