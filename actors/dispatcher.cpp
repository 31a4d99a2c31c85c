#include <weir/actors/dispatcher.hpp>

#include <vector>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace weir {

namespace {

class dispatcher : public dispatcher_actor::base, private flow_observer {
public:
  dispatcher(caf::actor_config& config, dispatcher_config settings)
      : dispatcher_actor::base(config),
        settings_(std::move(settings)),
        flows_(settings_.flows, *this, settings_.environment->budget) {}

  const char* name() const override { return "weir.dispatcher"; }

  behavior_type make_behavior() override {
    // Sessions own the census, and the census must not own the dispatcher: a weak address.
    census_ = std::make_shared<session_census>([self = address()] {
      if (const auto alive = caf::actor_cast<dispatcher_actor>(self)) tell(alive, sessions_gone{});
    });
    return {
        [this](const block_ref& block) {
          block_ = block;
          flows_.process(*block_, settings_.shard);
          block_ = {};
          update_gauges();
        },
        [this](const relief_request& request) { flows_.relieve(request.bytes, request.evict); },
        [this](end_of_input) {
          flows_.finish();
          update_gauges();
          census_->close();
        },
        [this](sessions_gone) {
          tell(settings_.parent, dispatcher_report{flows_.counters()});
          quit();
        },
    };
  }

private:
  void started(std::uint32_t flow, session_start start) override {
    if (flow >= sessions_.size()) sessions_.resize(flow + 1);
    sessions_[flow] = spawn_session(system(), settings_.environment, census_, std::move(start));
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

  void update_gauges() {
    auto& gauges = *settings_.gauges;
    const std::uint64_t open = flows_.sessions();
    gauges.sessions_open.fetch_add(open - open_shown_, std::memory_order_relaxed);
    open_shown_ = open;
    const auto seen = flows_.counters().sessions;
    gauges.sessions.fetch_add(seen - seen_shown_, std::memory_order_relaxed);
    seen_shown_ = seen;
  }

  dispatcher_config settings_;
  flow_table flows_;
  std::shared_ptr<session_census> census_;
  std::vector<session_actor> sessions_;
  block_ref block_;
  std::uint64_t open_shown_ = 0;
  std::uint64_t seen_shown_ = 0;
};

} // namespace

dispatcher_actor spawn_dispatcher(caf::actor_system& system, dispatcher_config config) {
  return system.spawn<dispatcher, caf::detached>(std::move(config));
}

} // namespace weir
