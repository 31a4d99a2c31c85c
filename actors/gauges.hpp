/// Figures of the living pipeline, for a progress line and a status line. Written by the actors,
/// read by anyone.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

struct pipeline_gauges {
  /// Bytes of the input, as stored; the total is zero where it is not known.
  std::atomic<std::uint64_t> bytes_done{0};
  std::atomic<std::uint64_t> bytes_total{0};
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> sessions{0};
  std::atomic<std::uint64_t> sessions_open{0};
  /// Bytes on the way to the writers.
  std::atomic<std::uint64_t> backlog{0};
};

} // namespace weir
