#include <weir/actors/pipeline.hpp>

#include <algorithm>
#include <string_view>

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <weir/actors/dispatcher.hpp>
#include <weir/actors/supervisor.hpp>
#include <weir/actors/writer.hpp>

namespace weir {

namespace {

constexpr std::array<std::string_view, actor_kind_count> group_names = {"writers", "dispatchers",
                                                                        "captures"};

/// Large blocks make few messages of many sessions' segments; six are enough for all to be busy.
std::shared_ptr<block_pool> make_pool(const std::shared_ptr<memory_budget>& budget) {
  constexpr std::size_t best = 8 << 20;
  constexpr std::size_t most_blocks = 6;
  const auto share = budget->limit() / 8 * 3;
  const auto count =
      std::clamp<std::size_t>(share / (2 * packet_block::max_packet), 2, most_blocks);
  const auto capacity = std::clamp(share / (2 * count), packet_block::max_packet, best);
  return block_pool::make(count, capacity, budget);
}

/// The calling thread's part: it starts the tree, waits for one kind of actors after the other to
/// finish, and takes over what an actor left that could not be kept alive.
class pipeline {
public:
  pipeline(caf::actor_system& system, std::unique_ptr<packet_source> source,
           pipeline_options options)
      : options_(std::move(options)),
        self_(system),
        budget_(std::make_shared<memory_budget>(options_.memory)),
        gauges_(std::make_shared<pipeline_gauges>()),
        pool_(make_pool(budget_)) {
    for (auto& store : options_.stores)
      writers_.push_back(std::make_shared<writer_lane>(std::move(store), gauges_, budget_));
    const auto parent = caf::actor_cast<caf::actor_addr>(caf::actor{self_});
    census_ = std::make_shared<session_census>([parent] {
      if (const auto alive = caf::actor_cast<caf::actor>(parent)) tell(alive, sessions_gone{});
    });
    for (std::size_t i = 0; i < options_.dispatchers; ++i)
      dispatchers_.push_back(std::make_shared<dispatcher_lane>());
    make_capture(std::move(source));
  }

  pipeline_report run() {
    const auto started = start_supervisor(self_->system(), tree());
    if (started) {
      root_ = caf::actor_cast<caf::actor>(*started);
      if (options_.on_start) options_.on_start(root_);
    } else {
      ended_ = report_.gave_up = true;
      complain("the pipeline did not start: " + reason_text(started.error()));
    }
    wait([this] { return capture_->done(); });
    for (const auto& d : dispatchers_)
      d->close();
    wait([this] { return std::ranges::all_of(dispatchers_, &dispatcher_lane::done); });
    if (ended_ && !report_.hung) drop_blocks();
    census_->close();
    wait_for_sessions();
    for (const auto& w : writers_)
      w->close();
    wait([this] { return std::ranges::all_of(writers_, &writer_lane::done); });
    stop_tree();
    if (!report_.hung) fill_report();
    return std::move(report_);
  }

private:
  using clock = std::chrono::steady_clock;

  void make_capture(std::unique_ptr<packet_source> source) {
    options_.decoding.shards = options_.dispatchers;
    options_.decoding.max_fragment_bytes =
        std::min(options_.decoding.max_fragment_bytes, options_.memory / 8);
    capture_config config;
    config.source = std::move(source);
    config.filter = std::move(options_.filter);
    config.decoding = options_.decoding;
    config.max_packets = options_.max_packets;
    config.pool = pool_;
    config.budget = budget_;
    config.dispatchers = dispatchers_;
    config.gauges = gauges_;
    capture_ = std::make_shared<capture_lane>(std::move(config));
    budget_->on_relief([lane = std::weak_ptr{capture_}] {
      if (const auto l = lane.lock()) l->notify(proceed{});
    });
  }

  // -- the tree -------------------------------------------------------------------

  supervisor_spec tree() {
    supervisor_spec root;
    root.name = "weir";
    root.intensity = 0;
    root.subscribers = {caf::actor{self_}};
    const caf::actor parent{self_};

    std::vector<child_factory> writers;
    for (const auto& lane : writers_)
      writers.emplace_back([lane, parent](caf::actor_system& system, const startup& start) {
        const auto actor = spawn_writer(system, lane, parent);
        start.up();
        return child_handle{actor};
      });

    const auto port = std::make_shared<writer_port>(writers_);
    // One direction's out-of-order data must not be able to take the whole budget.
    options_.sessions.stream.max_held =
        std::min(options_.sessions.stream.max_held, options_.memory / 8);
    options_.flows.max_syn_payload = std::min(options_.flows.max_syn_payload, options_.memory / 32);
    const auto environment = std::make_shared<const session_environment>(session_environment{
        options_.accumulators(*port, *budget_), options_.sessions, *budget_, {budget_, port}});
    std::vector<child_factory> dispatchers;
    for (std::uint32_t shard = 0; shard < dispatchers_.size(); ++shard) {
      const dispatcher_config config{.shard = shard,
                                     .shards = dispatchers_.size(),
                                     .flows = options_.flows,
                                     .environment = environment,
                                     .census = census_,
                                     .gauges = gauges_,
                                     .lane = dispatchers_[shard],
                                     .parent = parent};
      dispatchers.emplace_back([config](caf::actor_system& system, const startup& start) {
        const auto actor = spawn_dispatcher(system, config);
        start.up();
        return child_handle{actor};
      });
    }

    const child_factory capture = [lane = capture_, parent](caf::actor_system& system,
                                                            const startup& start) {
      const auto actor = spawn_capture(system, lane, parent);
      start.up();
      return child_handle{actor};
    };

    add_group(root, actor_kind::writer, writers);
    add_group(root, actor_kind::dispatcher, dispatchers);
    add_group(root, actor_kind::capture, {capture});
    return root;
  }

  /// Each has an end of its own, and is not restarted then.
  void add_group(supervisor_spec& root, actor_kind kind,
                 const std::vector<child_factory>& factories) const {
    supervisor_spec group;
    group.intensity = options_.max_restarts;
    group.period = std::chrono::seconds{10};
    group.subscribers = root.subscribers;
    for (const auto& f : factories)
      group.children.push_back({.id = std::to_string(group.children.size()),
                                .start = f,
                                .restart = restart_policy::transient});
    root.children.push_back(supervisor_child(
        std::string{group_names[static_cast<std::size_t>(kind)]}, std::move(group)));
  }

  void stop_tree() {
    if (ended_) return;
    tell(caf::actor_cast<supervisor_actor>(root_), stop_supervisor{});
    wait([this] { return ended_; });
  }

  // -- waiting --------------------------------------------------------------------

  /// Until `done`, or until the tree has ended, which leaves the rest to us, or hangs.
  template<class Predicate>
  void wait(Predicate done) {
    while (!done() && !ended_ && !report_.hung)
      receive();
  }

  void wait_for_sessions() {
    while (!sessions_gone_ && !report_.hung)
      receive();
  }

  void receive() {
    self_->receive(
        [](lane_done) {
          // Lanes tell more than the message.
        },
        [this](sessions_gone) { sessions_gone_ = true; },
        [this](const supervisor_event& event) { note(event); },
        caf::after(options_.interval) >>
            [] {
              // Time to look around.
            });
    look_around();
  }

  void look_around() {
    const auto now = clock::now();
    if (now - looked_ < options_.interval) return;
    looked_ = now;
    if (options_.watch && !options_.watch(status()) && !capture_->stopped()) {
      capture_->stop();
      stopping_ = true;
    }
    if (stopping_ || ended_) report_.hung = hangs(now);
  }

  /// Whether nothing has moved for too long.
  bool hangs(clock::time_point now) {
    const std::array<std::uint64_t, 4> figures = {gauges_->packets, gauges_->sessions_open,
                                                  gauges_->backlog, census_->size()};
    if (figures != figures_ || moved_ == clock::time_point{}) moved_ = now;
    figures_ = figures;
    return now - moved_ > options_.stop_patience;
  }

  pipeline_status status() const {
    pipeline_status s{*gauges_};
    s.actors = alive_;
    s.session_actors = census_->size();
    s.restarts = report_.restarts;
    s.memory_used = budget_->used();
    s.memory_limit = budget_->limit();
    s.blocks_in_use = pool_->in_use();
    s.max_blocks = pool_->max_blocks();
    return s;
  }

  // -- failures -------------------------------------------------------------------

  void note(const supervisor_event& event) {
    using enum supervisor_event::kind;
    if (event.what == finished && event.supervisor == "weir") {
      ended_ = true;
      return;
    }
    if (event.what == gave_up) {
      report_.gave_up = true;
      for (const auto& d : dispatchers_)
        d->stop_waiting();
      complain(to_string(event));
    }
    const auto kind = kind_of(event.supervisor);
    if (!kind) return;
    auto& alive = alive_[*kind];
    switch (event.what) {
    case started: ++alive; return;
    case restarted:
      ++alive;
      ++report_.restarts[*kind];
      return;
    case ended:
      --alive;
      if (!ended_in_order(event.reason)) complain(to_string(event));
      return;
    case stopped:
    case abandoned: --alive; return;
    default: return;
    }
  }

  static std::optional<std::size_t> kind_of(std::string_view supervisor) {
    const auto name = supervisor.substr(supervisor.rfind('/') + 1);
    const auto found = std::ranges::find(group_names, name);
    if (found == group_names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - group_names.begin());
  }

  void complain(const std::string& line) const {
    if (options_.on_failure) options_.on_failure(line);
  }

  void drop_blocks() {
    for (std::uint32_t shard = 0; shard < dispatchers_.size(); ++shard)
      if (!dispatchers_[shard]->done()) dispatchers_[shard]->drop(shard);
  }

  // -- the end --------------------------------------------------------------------

  void fill_report() {
    report_.capture = capture_->report();
    for (const auto& d : dispatchers_) {
      report_.flows.add(d->flows());
      report_.sessions_abandoned += d->sessions_abandoned();
      report_.segments_lost += d->segments_lost();
    }
    report_.sessions_untold = census_->untold();
    for (const auto& w : writers_) {
      if (!w->done()) w->finish_here();
      report_.stored.add(w->counters());
      if (!report_.first_write_error) report_.first_write_error = w->first_error();
    }
  }

  pipeline_options options_;
  caf::scoped_actor self_;
  std::shared_ptr<memory_budget> budget_;
  std::shared_ptr<pipeline_gauges> gauges_;
  std::shared_ptr<block_pool> pool_;
  std::vector<std::shared_ptr<writer_lane>> writers_;
  std::shared_ptr<session_census> census_;
  std::vector<std::shared_ptr<dispatcher_lane>> dispatchers_;
  std::shared_ptr<capture_lane> capture_;
  caf::actor root_;
  std::array<std::size_t, actor_kind_count> alive_{};
  pipeline_report report_;
  bool sessions_gone_ = false;
  /// No supervised actor is left.
  bool ended_ = false;
  bool stopping_ = false;
  clock::time_point looked_ = clock::now();
  clock::time_point moved_{};
  std::array<std::uint64_t, 4> figures_{};
};

} // namespace

pipeline_report run_pipeline(caf::actor_system& system, std::unique_ptr<packet_source> source,
                             pipeline_options options) {
  return pipeline{system, std::move(source), std::move(options)}.run();
}

} // namespace weir
