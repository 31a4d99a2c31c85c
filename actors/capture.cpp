#include <weir/actors/capture.hpp>

#include <algorithm>
#include <chrono>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace weir {

namespace {

/// How long to wait for memory before asking for it again.
constexpr auto patience = std::chrono::milliseconds{500};

class capture : public capture_actor::base {
public:
  capture(caf::actor_config& config, capture_config settings)
      : capture_actor::base(config),
        settings_(std::move(settings)),
        decoder_(settings_.decoding, *settings_.budget) {}

  const char* name() const override { return "weir.capture"; }

  behavior_type make_behavior() override {
    return {
        [this](proceed) { take_block(); },
        [this](const starving& s) { insist(s); },
        [this](end_of_input) { finish(); },
    };
  }

private:
  /// A handle that can be kept in callbacks without keeping the actor alive.
  auto waker() {
    return [self = address()] {
      if (const auto alive = caf::actor_cast<capture_actor>(self)) tell(alive, proceed{});
    };
  }

  void take_block() {
    if (finished_) return;
    if (settings_.budget->exhausted() && wait_for_memory()) return;
    waiting_ = false;
    auto block = settings_.pool->acquire(waker());
    if (!block) return;
    const auto status = settings_.source->fill(*block);
    if (!status) report_.errors.push_back(status.error());
    forward(block);
    // A source that can go on after an error says `more` to the next fill, others say `end`.
    if (status && *status == packet_source::status::end) return finish();
    if (enough()) return finish();
    tell(capture_actor{this}, proceed{});
  }

  void forward(const block_ref& block) {
    auto& packets = block->packets;
    if (settings_.filter) report_.filtered += settings_.filter->apply(*block);
    if (const auto limit = settings_.max_packets; limit != 0)
      packets.resize(std::min<std::size_t>(packets.size(), limit - report_.packets));
    count(packets);
    if (packets.empty()) return;
    decoder_.decode(*block);
    for (const auto& dispatcher : settings_.dispatchers)
      tell(dispatcher, block);
  }

  void count(const std::vector<packet>& packets) {
    if (!packets.empty() && report_.packets == 0) report_.first = packets.front().time;
    report_.packets += packets.size();
    for (const auto& p : packets) {
      report_.bytes += p.captured;
      report_.first = std::min(report_.first, p.time);
      report_.last = std::max(report_.last, p.time);
    }
    const auto position = settings_.source->position();
    auto& gauges = *settings_.gauges;
    gauges.packets.fetch_add(packets.size(), std::memory_order_relaxed);
    gauges.bytes_done.store(position.done, std::memory_order_relaxed);
    gauges.bytes_total.store(position.total, std::memory_order_relaxed);
  }

  bool enough() const noexcept {
    return settings_.max_packets != 0 && report_.packets >= settings_.max_packets;
  }

  /// False where there is memory by now.
  bool wait_for_memory() {
    if (!settings_.budget->wait_for_relief()) return false;
    waiting_ = true;
    ++waits_;
    if (held_by_sessions()) ask_for_memory(false);
    tell_later(patience, capture_actor{this}, starving{waits_, false});
    return true;
  }

  /// Sessions that hand on what they hold are not enough where out-of-order data or their mere
  /// number takes the memory: then the longest idle have to end.
  void insist(const starving& s) {
    if (!waiting_ || s.wait != waits_) return;
    if (held_by_sessions()) ask_for_memory(s.again);
    tell_later(patience, capture_actor{this}, starving{waits_, true});
  }

  /// What sessions hand on only makes the writers' queue longer: it helps where memory would be
  /// short without that queue, too.
  bool held_by_sessions() const noexcept {
    const auto backlog = settings_.gauges->backlog.load(std::memory_order_relaxed);
    return settings_.budget->used() >= backlog + settings_.budget->relief_level();
  }

  void ask_for_memory(bool evict) {
    const auto share = settings_.budget->limit() / 4 / settings_.dispatchers.size();
    for (const auto& dispatcher : settings_.dispatchers)
      tell(dispatcher, relief_request{share, evict});
  }

  void finish() {
    if (finished_) return;
    finished_ = true;
    for (const auto& dispatcher : settings_.dispatchers)
      tell(dispatcher, end_of_input{});
    report_.decoded = decoder_.counters();
    tell(settings_.parent, std::move(report_));
    quit();
  }

  capture_config settings_;
  decoder decoder_;
  capture_report report_;
  bool waiting_ = false;
  /// Tells a reminder of this wait from one of an earlier wait.
  std::uint64_t waits_ = 0;
  bool finished_ = false;
};

} // namespace

capture_actor spawn_capture(caf::actor_system& system, capture_config config) {
  return system.spawn<capture, caf::detached>(std::move(config));
}

} // namespace weir
