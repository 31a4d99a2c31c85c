/// The actors that do the blocking file work, and the way to them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include <caf/actor.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/actors/lane.hpp>
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

/// What a writer does, and what outlives it: the store, and the jobs that wait. A session that
/// makes the store throw is given up, and marked so; the others are written by whoever comes after.
class writer_lane : public lane<writer_actor> {
public:
  writer_lane(std::unique_ptr<session_store> store, std::shared_ptr<pipeline_gauges> gauges,
              std::shared_ptr<memory_budget> budget)
      : store_(std::move(store)), gauges_(std::move(gauges)), budget_(std::move(budget)) {}

  // -- from any thread ------------------------------------------------------------

  void add(writer_queue::job job);

  /// No more jobs will come.
  void close();

  bool done() const noexcept { return done_; }

  // -- by the writer, or in its place when it has ended for good --------------------

  /// Writes what waits. `timed` as in `writer_queue::take`. Throws what the store throws; the job
  /// that made it throw is dealt with, the rest still waits.
  void write(bool timed);

  /// After `close`, when nothing waits any more: closes the store.
  bool finish();

  /// The same without anyone to start a writer again: nothing that the store throws is passed on.
  void finish_here() noexcept;

  /// Of a lane that is done.
  const store_counters& counters() const noexcept { return store_->counters(); }
  std::optional<error> first_error() const;

private:
  void perform(writer_queue::job& job);
  void give_up(finished_session& session, const char* why);

  writer_queue queue_;
  std::unique_ptr<session_store> store_;
  std::shared_ptr<pipeline_gauges> gauges_;
  std::shared_ptr<memory_budget> budget_;
  /// Taken from the queue, not done yet.
  std::deque<writer_queue::job> current_;
  /// Open sessions of which a piece could not be written.
  std::set<std::uint64_t> damaged_;
  std::optional<error> failure_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> done_{false};
};

/// The actor has a thread of its own. `parent` gets `lane_done`.
writer_actor spawn_writer(caf::actor_system& system, std::shared_ptr<writer_lane> lane,
                          caf::actor parent);

/// Hands what file accumulators collect to the writers; all of one session to the same one.
class writer_port : public store_port {
public:
  explicit writer_port(std::vector<std::shared_ptr<writer_lane>> writers)
      : writers_(std::move(writers)) {}

  void append(std::uint64_t session_id, side s, stream_piece piece) override;
  void finish(finished_session session) override;

private:
  writer_lane& of(std::uint64_t session_id) { return *writers_[session_id % writers_.size()]; }

  std::vector<std::shared_ptr<writer_lane>> writers_;
};

} // namespace weir
