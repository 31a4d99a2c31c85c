#include <weir/actors/writer.hpp>

#include <utility>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace weir {

namespace {

std::uint64_t held_by(const writer_queue::job& job) noexcept {
  if (const auto* p = std::get_if<writer_queue::piece>(&job)) return p->bytes.bytes.capacity();
  std::uint64_t bytes = writer_queue::overhead;
  for (const auto& stream : std::get<finished_session>(job).streams) {
    for (const auto& piece : stream.rest)
      bytes += piece.bytes.capacity();
  }
  return bytes;
}

class writer : public writer_actor::base {
public:
  writer(caf::actor_config& config, std::unique_ptr<session_store> store,
         std::shared_ptr<writer_queue> queue, std::shared_ptr<pipeline_gauges> gauges,
         std::shared_ptr<memory_budget> budget, caf::actor parent)
      : writer_actor::base(config),
        store_(std::move(store)),
        queue_(std::move(queue)),
        gauges_(std::move(gauges)),
        budget_(std::move(budget)),
        parent_(std::move(parent)) {}

  const char* name() const override { return "weir.writer"; }

  behavior_type make_behavior() override {
    return {
        [this](const collect& c) { write_all(c.timed); },
        [this](end_of_input) {
          write_all(false);
          store_->close();
          writer_report report{store_->counters(), {}};
          if (const auto* e = store_->first_error()) report.first_error = *e;
          tell(parent_, std::move(report));
          quit();
        },
    };
  }

private:
  void write_all(bool timed) {
    for (auto& job : queue_->take(timed)) {
      const auto bytes = held_by(job);
      if (auto* p = std::get_if<writer_queue::piece>(&job)) {
        store_->append(p->session, p->from, std::move(p->bytes));
      } else {
        store_->finish(std::move(std::get<finished_session>(job)));
        budget_->release(writer_queue::overhead);
      }
      gauges_->backlog.fetch_sub(bytes, std::memory_order_relaxed);
    }
  }

  std::unique_ptr<session_store> store_;
  std::shared_ptr<writer_queue> queue_;
  std::shared_ptr<pipeline_gauges> gauges_;
  std::shared_ptr<memory_budget> budget_;
  caf::actor parent_;
};

} // namespace

writer_queue::wake_up writer_queue::add(job j) {
  const bool large = std::holds_alternative<piece>(j);
  const std::lock_guard lock{mutex_};
  if (waiting_.empty()) waiting_.reserve(batch);
  waiting_.push_back(std::move(j));
  if (large || waiting_.size() == batch) return wake_up::now;
  return std::exchange(timed_, true) ? wake_up::none : wake_up::later;
}

std::vector<writer_queue::job> writer_queue::take(bool timed) {
  const std::lock_guard lock{mutex_};
  if (timed) timed_ = false;
  return std::exchange(waiting_, {});
}

writer_lane spawn_writer(caf::actor_system& system, std::unique_ptr<session_store> store,
                         std::shared_ptr<pipeline_gauges> gauges,
                         std::shared_ptr<memory_budget> budget, caf::actor parent) {
  auto queue = std::make_shared<writer_queue>();
  auto actor = system.spawn<writer, caf::detached>(std::move(store), queue, std::move(gauges),
                                                   std::move(budget), std::move(parent));
  return {std::move(actor), std::move(queue)};
}

void writer_port::append(std::uint64_t session_id, side s, stream_piece piece) {
  send(session_id, writer_queue::piece{session_id, s, std::move(piece)});
}

void writer_port::finish(finished_session session) {
  const auto id = session.info.id;
  budget_->charge(writer_queue::overhead);
  send(id, std::move(session));
}

void writer_port::send(std::uint64_t session_id, writer_queue::job job) {
  const auto& to = writers_[session_id % writers_.size()];
  gauges_->backlog.fetch_add(held_by(job), std::memory_order_relaxed);
  switch (to.queue->add(std::move(job))) {
  case writer_queue::wake_up::none: return;
  case writer_queue::wake_up::now: tell(to.actor, collect{}); return;
  case writer_queue::wake_up::later:
    tell_later(writer_queue::patience, to.actor, collect{.timed = true});
  }
}

} // namespace weir
