/// The actor of one session: a thin shell that gives `session` its segments and survives what an
/// accumulator throws.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <weir/actors/interfaces.hpp>
#include <weir/net/memory_budget.hpp>
#include <weir/net/session/accumulator.hpp>
#include <weir/net/session/session.hpp>

namespace weir {

/// Counts the living session actors of a pipeline, however they end, without a message or a monitor
/// each. Once closed, it calls back when the last is gone.
class session_census {
public:
  explicit session_census(std::function<void()> when_empty) : when_empty_(std::move(when_empty)) {}

  void enter() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void leave() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) when_empty_();
  }

  /// No more will enter. Only once.
  void close() { leave(); }

  /// A session ended of which no accumulator could be told.
  void count_untold() noexcept { untold_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t untold() const noexcept { return untold_.load(std::memory_order_relaxed); }

  std::uint64_t size() const noexcept {
    const auto count = count_.load(std::memory_order_relaxed);
    return count > 0 ? count - 1 : 0;
  }

private:
  std::function<void()> when_empty_;
  /// One more than the living until closed.
  std::atomic<std::uint64_t> count_{1};
  std::atomic<std::uint64_t> untold_{0};
};

/// What all sessions of a pipeline share. Lives as long as any of them.
struct session_environment {
  accumulator_factory make_accumulator;
  session_options options;
  memory_budget& budget;
  /// Kept alive for what the factory and the budget refer to.
  std::vector<std::shared_ptr<const void>> owned;
};

/// Spawns the actor. It is not scheduled before its first message.
session_actor spawn_session(caf::actor_system& system,
                            std::shared_ptr<const session_environment> environment,
                            std::shared_ptr<session_census> census, session_start start);

} // namespace weir
