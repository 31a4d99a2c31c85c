#include <weir/actors/writer.hpp>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace weir {

namespace {

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
         std::shared_ptr<pipeline_gauges> gauges, caf::actor parent)
      : writer_actor::base(config),
        store_(std::move(store)),
        gauges_(std::move(gauges)),
        parent_(std::move(parent)) {}

  const char* name() const override { return "weir.writer"; }

  behavior_type make_behavior() override {
    return {
        [this](const std::shared_ptr<stored_piece>& job) {
          const auto bytes = job->piece.bytes.capacity();
          store_->append(job->session, job->from, std::move(job->piece));
          gauges_->backlog.fetch_sub(bytes, std::memory_order_relaxed);
        },
        [this](const std::shared_ptr<finished_session>& job) {
          const auto bytes = held_by(*job);
          store_->finish(std::move(*job));
          gauges_->backlog.fetch_sub(bytes, std::memory_order_relaxed);
        },
        [this](end_of_input) {
          store_->close();
          writer_report report{store_->counters(), {}};
          if (const auto* e = store_->first_error()) report.first_error = *e;
          tell(parent_, std::move(report));
          quit();
        },
    };
  }

private:
  std::unique_ptr<session_store> store_;
  std::shared_ptr<pipeline_gauges> gauges_;
  caf::actor parent_;
};

} // namespace

writer_actor spawn_writer(caf::actor_system& system, std::unique_ptr<session_store> store,
                          std::shared_ptr<pipeline_gauges> gauges, caf::actor parent) {
  return system.spawn<writer, caf::detached>(std::move(store), std::move(gauges),
                                             std::move(parent));
}

void writer_port::append(std::uint64_t session_id, side s, stream_piece piece) {
  gauges_->backlog.fetch_add(piece.bytes.capacity(), std::memory_order_relaxed);
  tell(writer_of(session_id),
       std::make_shared<stored_piece>(stored_piece{session_id, s, std::move(piece)}));
}

void writer_port::finish(finished_session session) {
  const auto id = session.info.id;
  gauges_->backlog.fetch_add(held_by(session), std::memory_order_relaxed);
  tell(writer_of(id), std::make_shared<finished_session>(std::move(session)));
}

} // namespace weir
