#include <weir/actors/dispatcher.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <weir/actors/startup.hpp>

namespace weir {

namespace {

class dispatcher : public dispatcher_actor::base, private flow_observer {
public:
  dispatcher(caf::actor_config& config, dispatcher_config settings)
      : dispatcher_actor::base(config),
        settings_(std::move(settings)),
        flows_(settings_.flows, *this, settings_.environment->budget) {
    keep_exception_text(*this);
    set_exit_handler([this](const caf::exit_msg& m) {
      if (m.reason == caf::exit_reason::user_shutdown) stop();
      quit(m.reason);
    });
  }

  const char* name() const override { return "weir.dispatcher"; }

  behavior_type make_behavior() override {
    settings_.lane->attach(dispatcher_actor{this});
    // One before may have left some.
    tell(dispatcher_actor{this}, collect{});
    return {
        [this](const collect&) {
          // One at a time, so that requests for memory are heard in between.
          if ((block_ = settings_.lane->take())) {
            flows_.process(*block_, settings_.shard);
            block_ = {};
            update_gauges();
            tell(dispatcher_actor{this}, collect{});
          } else if (settings_.lane->at_end()) {
            stop();
            settings_.lane->finish();
            tell(settings_.parent, lane_done{});
            quit();
          }
        },
        [this](const relief_request&) { relieve(); },
    };
  }

  void on_exit() override {
    if (!stopped_) abandon();
    update_gauges();
    settings_.lane->count(flows_.counters());
  }

private:
  using clock = std::chrono::steady_clock;

  void stop() {
    stopped_ = true;
    flows_.finish();
    update_gauges();
  }

  /// Sessions outlive their dispatcher, but will not hear of their flows any more.
  void abandon() {
    auto& lane = *settings_.lane;
    lane.count_abandoned(flows_.sessions());
    if (block_) lane.count_lost(block_->shards[settings_.shard].segments.size());
    block_ = {};
    try {
      flows_.abandon(reason);
    } catch (const std::exception&) {
      session_end end;
      end.state = session_state::failed;
      end.failure = reason;
      for (auto& session : sessions_)
        if (session) tell(std::exchange(session, {}), segment_slice{}, end);
    }
  }

  void started(std::uint32_t flow, session_start start) override {
    if (flow >= sessions_.size()) sessions_.resize(flow + 1);
    sessions_[flow] =
        spawn_session(system(), settings_.environment, settings_.census, std::move(start));
  }

  void arrived(std::uint32_t flow, std::uint32_t begin, std::uint32_t count) override {
    tell(sessions_[flow], segment_slice{block_, settings_.shard, begin, count});
  }

  void ended(std::uint32_t flow, std::uint32_t begin, std::uint32_t count,
             const session_end& end) override {
    tell(sessions_[flow], segment_slice{block_, settings_.shard, begin, count}, end);
    sessions_[flow] = session_actor{};
  }

  void pressed(std::uint32_t flow) override { tell(sessions_[flow], relief_request{}); }

  /// What sessions hand on only makes the writers' queue longer: it helps where memory would be
  /// short without that queue, too.
  bool held_by_sessions() const noexcept {
    const auto backlog = settings_.gauges->backlog.load(std::memory_order_relaxed);
    return budget().used() >= backlog + budget().relief_level();
  }

  /// The longest idle sessions hand on what they hold. Where there is nothing to hand on, because
  /// out-of-order data or their mere number takes the memory, the longest idle have to end.
  void relieve() {
    const auto now = clock::now();
    if (!held_by_sessions() || now < relief_due_) return;
    const auto excess = budget().used() - budget().relief_level();
    const auto share = std::max(excess, budget().limit() / 16) / settings_.shards;
    if (flows_.press(share) >= share / 4) {
      relief_due_ = now + time_to_hand_on;
    } else if (const auto ending = still_ending();
               ending == 0 || (now >= evictions_due_ && ending * cost < excess / 2)) {
      flows_.evict(share);
      evictions_due_ = now + time_to_end;
    }
  }

  /// Sessions that have been told to end: memory that will be free without anything done.
  std::uint64_t still_ending() {
    update_gauges();
    const std::uint64_t open = settings_.gauges->sessions_open.load(std::memory_order_relaxed);
    const auto living = settings_.census->size();
    return living - std::min(living, open);
  }

  /// Sessions are made faster than they let go.
  void crowded() override {
    while (budget().exhausted() && settings_.lane->waits()) {
      relieve();
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

  memory_budget& budget() const noexcept { return settings_.environment->budget; }

  void update_gauges() {
    auto& gauges = *settings_.gauges;
    const std::uint64_t open = flows_.sessions();
    gauges.sessions_open.fetch_add(open - open_shown_, std::memory_order_relaxed);
    open_shown_ = open;
    const auto seen = flows_.counters().sessions;
    gauges.sessions.fetch_add(seen - seen_shown_, std::memory_order_relaxed);
    seen_shown_ = seen;
  }

  static constexpr std::size_t cost = flow_table::session_overhead;
  static constexpr const char* reason = "its dispatcher failed";

  /// What sessions are told takes effect when they come to read it.
  static constexpr auto time_to_hand_on = std::chrono::milliseconds{300};
  static constexpr auto time_to_end = std::chrono::milliseconds{500};

  dispatcher_config settings_;
  flow_table flows_;
  std::vector<session_actor> sessions_;
  block_ref block_;
  std::uint64_t open_shown_ = 0;
  std::uint64_t seen_shown_ = 0;
  /// When sessions may be asked again to hand on, and when more of them may be ended if those that
  /// were are still there.
  clock::time_point relief_due_{};
  clock::time_point evictions_due_{};
  /// All sessions have been told that the capture is over.
  bool stopped_ = false;
};

} // namespace

void dispatcher_lane::add(block_ref block) {
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(block));
  }
  notify(collect{});
}

void dispatcher_lane::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  notify(collect{});
}

block_ref dispatcher_lane::take() {
  const std::lock_guard lock{mutex_};
  if (waiting_.empty()) return {};
  auto block = std::move(waiting_.front());
  waiting_.pop_front();
  return block;
}

bool dispatcher_lane::at_end() const {
  const std::lock_guard lock{mutex_};
  return closed_ && waiting_.empty();
}

void dispatcher_lane::drop(std::uint32_t shard) {
  while (const auto block = take())
    count_lost(block->shards[shard].segments.size());
  finish();
}

dispatcher_actor spawn_dispatcher(caf::actor_system& system, dispatcher_config config) {
  return system.spawn<dispatcher, caf::detached>(std::move(config));
}

} // namespace weir
