/// The actor that owns a packet source: it fills blocks, filters and decodes them, and hands them
/// to the dispatchers. It takes the next block only when there is one, and memory for what it
/// brings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/actor.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/net/capture/packet_filter.hpp>
#include <weir/net/packet_source.hpp>

namespace weir {

struct capture_config {
  std::unique_ptr<packet_source> source;
  std::optional<packet_filter> filter;
  decoder_options decoding;
  /// Stop after this many packets (that the filter let pass); zero: no limit.
  std::uint64_t max_packets = 0;
  std::shared_ptr<block_pool> pool;
  std::shared_ptr<memory_budget> budget;
  std::vector<dispatcher_actor> dispatchers;
  std::shared_ptr<pipeline_gauges> gauges;
  /// Gets the `capture_report`.
  caf::actor parent;
};

/// On a thread of its own. Begins with the first `proceed`.
capture_actor spawn_capture(caf::actor_system& system, capture_config config);

} // namespace weir
