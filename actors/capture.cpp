#include <weir/actors/capture.hpp>

#include <algorithm>
#include <chrono>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <weir/actors/startup.hpp>

namespace weir {

namespace {

/// How long to wait for memory before asking for it again.
constexpr auto patience = std::chrono::milliseconds{100};

class capture : public capture_actor::base {
public:
  capture(caf::actor_config& config, std::shared_ptr<capture_lane> lane, caf::actor parent)
      : capture_actor::base(config), lane_(std::move(lane)), parent_(std::move(parent)) {
    keep_exception_text(*this);
  }

  const char* name() const override { return "weir.capture"; }

  behavior_type make_behavior() override {
    lane_->attach(capture_actor{this});
    lane_->begin();
    tell(capture_actor{this}, proceed{});
    return {
        [this](proceed) { take_block(); },
        [this](const starving& s) { insist(s); },
    };
  }

private:
  void take_block() {
    if (finished_) return;
    if (lane_->stopped()) return finish();
    if (budget().exhausted() && wait_for_memory()) return;
    waiting_ = false;
    // Weak: blocks must not keep the capture.
    auto block = lane_->config().pool->acquire([lane = std::weak_ptr{lane_}] {
      if (const auto l = lane.lock()) l->notify(proceed{});
    });
    if (!block) return;
    if (!lane_->take(block)) return finish();
    tell(capture_actor{this}, proceed{});
  }

  /// False where there is memory by now.
  bool wait_for_memory() {
    if (!budget().wait_for_relief()) return false;
    waiting_ = true;
    ++waits_;
    ask_for_memory();
    return true;
  }

  void insist(const starving& s) {
    if (waiting_ && s.wait == waits_) ask_for_memory();
  }

  void ask_for_memory() {
    for (const auto& dispatcher : lane_->config().dispatchers)
      dispatcher->notify(relief_request{});
    tell_later(patience, capture_actor{this}, starving{waits_});
  }

  void finish() {
    finished_ = true;
    lane_->finish();
    tell(parent_, lane_done{});
    quit();
  }

  memory_budget& budget() const noexcept { return *lane_->config().budget; }

  std::shared_ptr<capture_lane> lane_;
  caf::actor parent_;
  bool waiting_ = false;
  /// Tells a reminder of this wait from one of an earlier wait.
  std::uint64_t waits_ = 0;
  bool finished_ = false;
};

} // namespace

capture_lane::capture_lane(capture_config config)
    : config_(std::move(config)), decoder_(config_.decoding, *config_.budget) {}

void capture_lane::stop() {
  stopped_ = true;
  notify(proceed{});
}

void capture_lane::begin() {
  if (!std::exchange(begun_, true)) return;
  after_outage_ = true;
  report_.outages.push_back({report_.last, report_.last});
}

bool capture_lane::take(const block_ref& block) {
  const auto status = config_.source->fill(*block);
  if (!status && status.error().code != errc::interrupted) report_.errors.push_back(status.error());
  forward(block);
  if (config_.max_packets != 0 && report_.packets >= config_.max_packets) return false;
  // A source that can go on after an error says `more` to the next fill, others say `end`.
  return !status || *status != packet_source::status::end;
}

void capture_lane::forward(const block_ref& block) {
  auto& packets = block->packets;
  if (config_.filter) report_.filtered += config_.filter->apply(*block);
  if (const auto limit = config_.max_packets; limit != 0)
    packets.resize(std::min<std::size_t>(packets.size(), limit - report_.packets));
  count(packets);
  if (packets.empty()) return;
  decoder_.decode(*block);
  for (const auto& dispatcher : config_.dispatchers)
    dispatcher->add(block);
}

void capture_lane::count(const std::vector<packet>& packets) {
  if (!packets.empty() && report_.packets == 0) report_.first = packets.front().time;
  if (!packets.empty() && std::exchange(after_outage_, false))
    report_.outages.back().end = packets.front().time;
  report_.packets += packets.size();
  for (const auto& p : packets) {
    report_.bytes += p.captured;
    report_.first = std::min(report_.first, p.time);
    report_.last = std::max(report_.last, p.time);
  }
  const auto position = config_.source->position();
  auto& gauges = *config_.gauges;
  gauges.packets.fetch_add(packets.size(), std::memory_order_relaxed);
  gauges.bytes_done.store(position.done, std::memory_order_relaxed);
  gauges.bytes_total.store(position.total, std::memory_order_relaxed);
}

capture_report capture_lane::report() const {
  auto report = report_;
  report.decoded = decoder_.counters();
  return report;
}

capture_actor spawn_capture(caf::actor_system& system, std::shared_ptr<capture_lane> lane,
                            caf::actor parent) {
  return system.spawn<capture, caf::detached>(std::move(lane), std::move(parent));
}

} // namespace weir
