/// The actors that do the blocking file work, and the way to them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include <caf/actor.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/net/memory_budget.hpp>
#include <weir/net/output/file_accumulator.hpp>
#include <weir/net/output/session_store.hpp>

namespace weir {

/// What waits for one writer, in order. A writer that was woken for each session that ends would do
/// little else than wake up: it takes them by the hundred, or after a moment.
class writer_queue {
public:
  /// A run of bytes of a session that is still open.
  struct piece {
    std::uint64_t session = 0;
    side from = side::client;
    stream_piece bytes;
  };
  using job = std::variant<piece, finished_session>;

  static constexpr std::size_t batch = 128;
  static constexpr auto patience = std::chrono::milliseconds{10};
  /// What a waiting session costs besides its bytes, charged to the budget.
  static constexpr std::size_t overhead = 1024;

  /// Whether the writer is to be told, and when: with a `collect` now, or a timed one after
  /// `patience`.
  enum class wake_up : std::uint8_t { none, now, later };

  wake_up add(job j);
  /// All that are waiting. `timed`: the time for which `add` asked has come.
  std::vector<job> take(bool timed);

private:
  std::mutex mutex_;
  std::vector<job> waiting_;
  /// A timed wake-up is on its way; one at a time is enough.
  bool timed_ = false;
};

/// A writer and its queue.
struct writer_lane {
  writer_actor actor;
  std::shared_ptr<writer_queue> queue;
};

/// The actor has a thread of its own. `parent` gets the `writer_report`.
writer_lane spawn_writer(caf::actor_system& system, std::unique_ptr<session_store> store,
                         std::shared_ptr<pipeline_gauges> gauges,
                         std::shared_ptr<memory_budget> budget, caf::actor parent);

/// Hands what file accumulators collect to the writers; all of one session to the same one.
class writer_port : public store_port {
public:
  writer_port(std::vector<writer_lane> writers, std::shared_ptr<pipeline_gauges> gauges,
              std::shared_ptr<memory_budget> budget)
      : writers_(std::move(writers)), gauges_(std::move(gauges)), budget_(std::move(budget)) {}

  void append(std::uint64_t session_id, side s, stream_piece piece) override;
  void finish(finished_session session) override;

private:
  void send(std::uint64_t session_id, writer_queue::job job);

  std::vector<writer_lane> writers_;
  std::shared_ptr<pipeline_gauges> gauges_;
  std::shared_ptr<memory_budget> budget_;
};

} // namespace weir
