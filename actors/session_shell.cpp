#include <weir/actors/session_shell.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <weir/net/session/flow_table.hpp>

namespace weir {

namespace {

/// In the census, and in the budget, from birth to death.
class census_entry {
public:
  census_entry(std::shared_ptr<session_census> census, memory_budget& budget)
      : census_(std::move(census)), budget_(budget) {
    census_->enter();
    budget_.charge(flow_table::session_overhead);
  }
  census_entry(const census_entry&) = delete;
  census_entry& operator=(const census_entry&) = delete;
  ~census_entry() { leave(); }

  void leave() {
    const auto census = std::move(census_);
    if (!census) return;
    budget_.release(flow_table::session_overhead);
    census->leave();
  }
  void untold() noexcept { census_->count_untold(); }

private:
  std::shared_ptr<session_census> census_;
  memory_budget& budget_;
};

class session_shell : public session_actor::base {
public:
  session_shell(caf::actor_config& config, std::shared_ptr<const session_environment> environment,
                std::shared_ptr<session_census> census, session_start start)
      : session_actor::base(config),
        environment_(std::move(environment)),
        census_(std::move(census), environment_->budget),
        start_(std::move(start)),
        latest_(start_.info.start) {}

  const char* name() const override { return "weir.session"; }

  behavior_type make_behavior() override {
    attempt([this] { open(); });
    return {
        [this](const segment_slice& slice) { add(slice); },
        [this](const segment_slice& slice, const session_end& end) {
          add(slice);
          finish(end);
          quit();
        },
        [this](const relief_request&) {
          if (session_) attempt([this] { session_->relieve(); });
        },
    };
  }

  /// Whatever ended it: what was said so far is handed over, and the session is accounted for.
  void on_exit() override {
    if (!ended_) {
      session_end end;
      end.time = latest_;
      fail(end, "its actor was ended");
    }
    session_.reset();
    census_.leave();
  }

private:
  void open() {
    auto accumulator = environment_->make_accumulator(start_.info);
    session_.emplace(std::move(start_), environment_->options, environment_->budget,
                     std::move(accumulator));
  }

  void add(const segment_slice& slice) {
    if (slice.count == 0) return;
    attempt([&] {
      const auto& shard = slice.block->shards[slice.shard];
      const auto* order = shard.order.data() + slice.begin;
      for (std::uint32_t i = 0; i < slice.count; ++i)
        session_->add(shard.segments[order[i]]);
      latest_ = std::max(latest_, shard.segments[order[slice.count - 1]].time);
    });
  }

  void finish(const session_end& end) {
    attempt([&] { session_->finish(end); });
    if (failure_)
      fail(end, *failure_);
    else
      ended_ = true;
  }

  void fail(session_end end, std::string why) {
    ended_ = true;
    end.failure = std::move(why);
    failure_.reset();
    // Where there was no memory for an accumulator before, there may be some by now.
    if (!session_) attempt([this] { open(); });
    if (session_)
      session_->fail(end);
    else
      census_.untold();
  }

  /// An accumulator is someone else's code: what it throws ends this session alone. Later segments
  /// are dropped, and the end comes with its figures when the dispatcher says so.
  template<class Function>
  void attempt(Function&& function) {
    if (failure_) return;
    try {
      function();
    } catch (const std::exception& e) {
      failure_ = e.what();
    } catch (...) {
      failure_ = "unknown exception";
    }
  }

  std::shared_ptr<const session_environment> environment_;
  census_entry census_;
  session_start start_;
  std::optional<session> session_;
  std::optional<std::string> failure_;
  timestamp latest_;
  bool ended_ = false;
};

} // namespace

session_actor spawn_session(caf::actor_system& system,
                            std::shared_ptr<const session_environment> environment,
                            std::shared_ptr<session_census> census, session_start start) {
  return system.spawn<session_shell, caf::lazy_init>(std::move(environment), std::move(census),
                                                     std::move(start));
}

} // namespace weir
