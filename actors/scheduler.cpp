#include <weir/actors/scheduler.hpp>

#include <algorithm>
#include <cstddef>
#include <thread>

#include <caf/actor_system_config.hpp>

#include <weir/actors/compat.hpp>

#ifndef WEIR_CAF_1
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#endif

namespace weir {

namespace {

std::size_t worker_count() noexcept {
  return std::max<std::size_t>(std::thread::hardware_concurrency() / 2, 1);
}

/// Messages that an actor may handle before others have their turn.
constexpr std::size_t messages_a_turn = 300;

#ifndef WEIR_CAF_1

/// Knows whether there can be anything to cancel.
class quiet_clock final : public caf::detail::thread_safe_actor_clock {
public:
  using super = caf::detail::thread_safe_actor_clock;

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override {
    in_use_.store(true, std::memory_order_relaxed);
    super::set_ordinary_timeout(t, self, type, id);
  }
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override {
    in_use_.store(true, std::memory_order_relaxed);
    super::set_request_timeout(t, self, id);
  }
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override {
    in_use_.store(true, std::memory_order_relaxed);
    super::set_multi_timeout(t, self, type, id);
  }
  /// An actor's own timeouts are set and cancelled by one thread at a time, so that a relaxed flag
  /// tells enough. Delayed messages are not timeouts, and are not cancelled with their receiver.
  void cancel_timeouts(caf::abstract_actor* self) override {
    if (in_use_.load(std::memory_order_relaxed)) super::cancel_timeouts(self);
  }

private:
  std::atomic<bool> in_use_{false};
};

/// Actors that are ready to run, in order.
class ready_queue {
public:
  static constexpr std::size_t most = 32;

  void add(caf::resumable* job) {
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      jobs_.push_back(job);
      wake = sleeping_ > 0;
    }
    if (wake) filled_.notify_one();
  }

  /// Waits until there is something. Takes no more than a fair share.
  void take(std::vector<caf::resumable*>& out, std::size_t workers) {
    std::unique_lock lock{mutex_};
    ++sleeping_;
    filled_.wait(lock, [this] { return !jobs_.empty(); });
    --sleeping_;
    const auto count = std::clamp<std::size_t>(jobs_.size() / (2 * workers), 1, most);
    const auto end = jobs_.begin() + static_cast<std::ptrdiff_t>(count);
    out.assign(jobs_.begin(), end);
    jobs_.erase(jobs_.begin(), end);
  }

  /// All that is left, without waiting.
  std::deque<caf::resumable*> drain() {
    const std::lock_guard lock{mutex_};
    return std::exchange(jobs_, {});
  }

private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<caf::resumable*> jobs_;
  std::size_t sleeping_ = 0;
};

class shared_queue_scheduler final : public caf::scheduler::abstract_coordinator {
public:
  using super = caf::scheduler::abstract_coordinator;

  explicit shared_queue_scheduler(caf::actor_system& system) : super(system) {}

  void enqueue(caf::resumable* job) override { ready_.add(job); }

  quiet_clock& clock() noexcept override { return clock_; }

protected:
  void start() override {
    for (std::size_t i = 0; i < num_workers(); ++i)
      threads_.emplace_back([this] {
        caf::detail::set_thread_name("weir.worker");
        system().thread_started();
        worker{*this}.run();
        system().thread_terminates();
      });
    timer_ = std::thread{[this] {
      caf::detail::set_thread_name("weir.clock");
      system().thread_started();
      clock_.run_dispatch_loop();
      system().thread_terminates();
    }};
    super::start();
  }

  void stop() override {
    for (std::size_t i = 0; i < threads_.size(); ++i)
      ready_.add(nullptr);
    stop_actors();
    for (auto& t : threads_)
      t.join();
    for (auto* job : ready_.drain())
      cleanup_and_release(job);
    clock_.cancel_dispatch_loop();
    timer_.join();
  }

private:
  class worker final : public caf::execution_unit {
  public:
    explicit worker(shared_queue_scheduler& scheduler)
        : caf::execution_unit(&scheduler.system()), scheduler_(scheduler) {}

    void exec_later(caf::resumable* job) override { scheduler_.ready_.add(job); }

    void run() {
      for (;;) {
        scheduler_.ready_.take(jobs_, scheduler_.num_workers());
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
          if (jobs_[i] != nullptr) {
            resume(jobs_[i]);
            continue;
          }
          // What comes after the sign to stop is for others.
          for (++i; i < jobs_.size(); ++i)
            scheduler_.ready_.add(jobs_[i]);
          return;
        }
      }
    }

  private:
    void resume(caf::resumable* job) {
      switch (job->resume(this, scheduler_.max_throughput())) {
      case caf::resumable::resume_later: scheduler_.ready_.add(job); return;
      case caf::resumable::done:
      case caf::resumable::awaiting_message: caf::intrusive_ptr_release(job); return;
      case caf::resumable::shutdown_execution_unit: return;
      }
    }

    shared_queue_scheduler& scheduler_;
    std::vector<caf::resumable*> jobs_;
  };

  quiet_clock clock_;
  ready_queue ready_;
  std::vector<std::thread> threads_;
  std::thread timer_;
};

#endif

} // namespace

void tune(caf::actor_system_config& config) {
#ifdef WEIR_CAF_1
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-throughput", messages_a_turn);
  config.set("caf.scheduler.max-threads", worker_count());
#else
  config.set("scheduler.max-throughput", messages_a_turn);
  config.set("scheduler.max-threads", worker_count());
  config.module_factories.emplace_back([](caf::actor_system& system) -> caf::actor_system::module* {
    return new shared_queue_scheduler(system);
  });
#endif
}

} // namespace weir
