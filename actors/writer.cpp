#include <weir/actors/writer.hpp>

#include <utility>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace weir {

namespace {

std::uint64_t held_by(const writer_queue::piece& p) noexcept { return p.bytes.bytes.capacity(); }

std::uint64_t held_by(const finished_session& session) noexcept {
  std::uint64_t bytes = 0;
  for (const auto& stream : session.streams) {
    for (const auto& piece : stream.rest)
      bytes += piece.bytes.capacity();
  }
  return bytes;
}

class writer : public writer_actor::base {
public:
  writer(caf::actor_config& config, std::unique_ptr<session_store> store,
         std::shared_ptr<writer_queue> queue, std::shared_ptr<pipeline_gauges> gauges,
         caf::actor parent)
      : writer_actor::base(config),
        store_(std::move(store)),
        queue_(std::move(queue)),
        gauges_(std::move(gauges)),
        parent_(std::move(parent)) {}

  const char* name() const override { return "weir.writer"; }

  behavior_type make_behavior() override {
    return {
        [this](collect) { write_all(); },
        [this](end_of_input) {
          write_all();
          store_->close();
          writer_report report{store_->counters(), {}};
          if (const auto* e = store_->first_error()) report.first_error = *e;
          tell(parent_, std::move(report));
          quit();
        },
    };
  }

private:
  void write_all() {
    for (auto& job : queue_->take()) {
      const auto bytes = std::visit([](const auto& j) { return held_by(j); }, job);
      if (auto* p = std::get_if<writer_queue::piece>(&job))
        store_->append(p->session, p->from, std::move(p->bytes));
      else
        store_->finish(std::move(std::get<finished_session>(job)));
      gauges_->backlog.fetch_sub(bytes, std::memory_order_relaxed);
    }
  }

  std::unique_ptr<session_store> store_;
  std::shared_ptr<writer_queue> queue_;
  std::shared_ptr<pipeline_gauges> gauges_;
  caf::actor parent_;
};

} // namespace

std::size_t writer_queue::add(job j) {
  const std::lock_guard lock{mutex_};
  if (waiting_.empty()) waiting_.reserve(batch);
  waiting_.push_back(std::move(j));
  return waiting_.size();
}

std::vector<writer_queue::job> writer_queue::take() {
  const std::lock_guard lock{mutex_};
  return std::exchange(waiting_, {});
}

writer_lane spawn_writer(caf::actor_system& system, std::unique_ptr<session_store> store,
                         std::shared_ptr<pipeline_gauges> gauges, caf::actor parent) {
  auto queue = std::make_shared<writer_queue>();
  auto actor = system.spawn<writer, caf::detached>(std::move(store), queue, std::move(gauges),
                                                   std::move(parent));
  return {std::move(actor), std::move(queue)};
}

void writer_port::append(std::uint64_t session_id, side s, stream_piece piece) {
  const auto& to = writer_of(session_id);
  writer_queue::piece job{session_id, s, std::move(piece)};
  gauges_->backlog.fetch_add(held_by(job), std::memory_order_relaxed);
  to.queue->add(std::move(job));
  tell(to.actor, collect{});
}

void writer_port::finish(finished_session session) {
  const auto& to = writer_of(session.info.id);
  gauges_->backlog.fetch_add(held_by(session), std::memory_order_relaxed);
  const auto waiting = to.queue->add(std::move(session));
  if (waiting == writer_queue::batch)
    tell(to.actor, collect{});
  else if (waiting == 1)
    tell_later(writer_queue::patience, to.actor, collect{});
}

} // namespace weir
