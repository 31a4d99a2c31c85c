/// The actor that owns a packet source: it fills blocks, filters and decodes them, and hands them
/// to the dispatchers. It takes the next block only when there is one, and memory for what it
/// brings.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/actor.hpp>

#include <weir/actors/dispatcher.hpp>
#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/actors/lane.hpp>
#include <weir/net/capture/packet_filter.hpp>
#include <weir/net/decode/decoder.hpp>
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
  std::vector<std::shared_ptr<dispatcher_lane>> dispatchers;
  std::shared_ptr<pipeline_gauges> gauges;
};

/// No packets were taken: the capture had died, and was started again.
struct outage {
  /// Times of the last packet before and of the first one after; equal where none came after.
  timestamp begin{};
  timestamp end{};
};

struct capture_report {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  /// Packets that the filter left out.
  std::uint64_t filtered = 0;
  decoder_counters decoded;
  /// Times of the earliest and the latest packet.
  timestamp first{};
  timestamp last{};
  std::vector<error> errors;
  std::vector<outage> outages;
};

/// What outlives a capture: the source, where it stands, and what was counted. One that is started
/// again goes on with the next block.
class capture_lane : public lane<capture_actor> {
public:
  explicit capture_lane(capture_config config);

  // -- from any thread ------------------------------------------------------------

  /// No more packets are wanted.
  void stop();

  bool stopped() const noexcept { return stopped_; }
  bool done() const noexcept { return done_; }

  // -- by the capture -----------------------------------------------------------------

  const capture_config& config() const noexcept { return config_; }

  /// A capture begins; not the first: there has been an outage.
  void begin();

  /// Takes a block from the source to the dispatchers. False: it was the last one.
  bool take(const block_ref& block);

  void finish() noexcept { done_ = true; }

  /// When nobody takes packets any more.
  capture_report report() const;

private:
  void forward(const block_ref& block);
  void count(const std::vector<packet>& packets);

  capture_config config_;
  decoder decoder_;
  capture_report report_;
  bool begun_ = false;
  bool after_outage_ = false;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> done_{false};
};

/// On a thread of its own. `parent` gets `lane_done`.
capture_actor spawn_capture(caf::actor_system& system, std::shared_ptr<capture_lane> lane,
                            caf::actor parent);

} // namespace weir
