#include <weir/actors/session_shell.hpp>

#include <exception>
#include <optional>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace weir {

namespace {

/// In the census from birth to death.
class census_entry {
public:
  explicit census_entry(std::shared_ptr<session_census> census) : census_(std::move(census)) {
    census_->enter();
  }
  census_entry(const census_entry&) = delete;
  census_entry& operator=(const census_entry&) = delete;
  ~census_entry() { leave(); }

  void leave() {
    if (const auto census = std::move(census_)) census->leave();
  }

private:
  std::shared_ptr<session_census> census_;
};

class session_shell : public session_actor::base {
public:
  session_shell(caf::actor_config& config, std::shared_ptr<const session_environment> environment,
                std::shared_ptr<session_census> census, session_start start)
      : session_actor::base(config),
        environment_(std::move(environment)),
        census_(std::move(census)),
        start_(std::move(start)) {}

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
        [this](const relief_request&) { attempt([this] { session_->relieve(); }); },
    };
  }

  void on_exit() override {
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
    });
  }

  void finish(const session_end& end) {
    attempt([&] { session_->finish(end); });
    if (failure_ && session_) session_->fail(end, std::move(*failure_));
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
};

} // namespace

session_actor spawn_session(caf::actor_system& system,
                            std::shared_ptr<const session_environment> environment,
                            std::shared_ptr<session_census> census, session_start start) {
  return system.spawn<session_shell, caf::lazy_init>(std::move(environment), std::move(census),
                                                     std::move(start));
}

} // namespace weir
