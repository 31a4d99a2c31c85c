#include <weir/actors/pipeline.hpp>

#include <algorithm>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <weir/actors/capture.hpp>
#include <weir/actors/dispatcher.hpp>
#include <weir/actors/writer.hpp>

namespace weir {

namespace {

/// Large blocks make few messages of many sessions' segments; six are enough for all to be busy.
std::shared_ptr<block_pool> make_pool(const std::shared_ptr<memory_budget>& budget) {
  constexpr std::size_t best = 8 << 20;
  constexpr std::size_t most_blocks = 6;
  const auto share = budget->limit() / 2;
  const auto capacity = std::clamp(share / (2 * most_blocks), packet_block::max_packet, best);
  return block_pool::make(most_blocks, capacity, budget);
}

/// Waits for the reports of all actors of one kind, calling `watch` meanwhile.
class report_collector {
public:
  report_collector(caf::scoped_actor& self, const pipeline_gauges& gauges,
                   const std::function<void(const pipeline_gauges&)>& watch,
                   std::chrono::milliseconds interval)
      : self_(self), gauges_(gauges), watch_(watch), interval_(interval) {}

  template<class Report, class Function>
  void collect(std::size_t count, Function&& take) {
    while (count > 0) {
      self_->receive(
          [&](Report& report) {
            take(report);
            --count;
          },
          caf::after(interval_) >>
              [&] {
                if (watch_) watch_(gauges_);
              });
    }
  }

private:
  caf::scoped_actor& self_;
  const pipeline_gauges& gauges_;
  const std::function<void(const pipeline_gauges&)>& watch_;
  std::chrono::milliseconds interval_;
};

} // namespace

pipeline_report run_pipeline(caf::actor_system& system, std::unique_ptr<packet_source> source,
                             pipeline_options options,
                             const std::function<void(const pipeline_gauges&)>& watch,
                             std::chrono::milliseconds interval) {
  caf::scoped_actor self{system};
  const caf::actor parent{self};
  const auto budget = std::make_shared<memory_budget>(options.memory);
  const auto gauges = std::make_shared<pipeline_gauges>();

  std::vector<writer_lane> writers;
  for (auto& store : options.stores)
    writers.push_back(spawn_writer(system, std::move(store), gauges, budget, parent));
  const auto port = std::make_shared<writer_port>(writers, gauges, budget);

  // One direction's out-of-order data must not be able to take the whole budget.
  options.sessions.stream.max_held = std::min(options.sessions.stream.max_held, options.memory / 8);
  const auto environment = std::make_shared<const session_environment>(session_environment{
      options.accumulators(*port, *budget), options.sessions, *budget, {budget, port}});

  std::vector<dispatcher_actor> dispatchers;
  for (std::uint32_t shard = 0; shard < options.dispatchers; ++shard)
    dispatchers.push_back(
        spawn_dispatcher(system, {shard, options.flows, environment, gauges, parent}));

  options.decoding.shards = options.dispatchers;
  capture_config capture;
  capture.source = std::move(source);
  capture.filter = std::move(options.filter);
  capture.decoding = options.decoding;
  capture.max_packets = options.max_packets;
  capture.pool = make_pool(budget);
  capture.budget = budget;
  capture.dispatchers = dispatchers;
  capture.gauges = gauges;
  capture.parent = parent;
  const auto first = spawn_capture(system, std::move(capture));
  budget->on_relief([address = first.address()] {
    if (const auto alive = caf::actor_cast<capture_actor>(address)) tell(alive, proceed{});
  });
  tell(first, proceed{});

  pipeline_report report;
  report_collector reports{self, *gauges, watch, interval};
  reports.collect<capture_report>(1, [&](capture_report& r) { report.capture = std::move(r); });
  reports.collect<dispatcher_report>(
      dispatchers.size(), [&](const dispatcher_report& r) { report.flows.add(r.flows); });
  for (const auto& writer : writers)
    tell(writer.actor, end_of_input{});
  reports.collect<writer_report>(writers.size(), [&](writer_report& r) {
    report.stored.add(r.stored);
    if (!report.first_write_error) report.first_write_error = std::move(r.first_error);
  });
  return report;
}

} // namespace weir
