#include <weir/actors/writer.hpp>

#include <exception>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <weir/actors/startup.hpp>

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
  writer(caf::actor_config& config, std::shared_ptr<writer_lane> lane, caf::actor parent)
      : writer_actor::base(config), lane_(std::move(lane)), parent_(std::move(parent)) {
    keep_exception_text(*this);
  }

  const char* name() const override { return "weir.writer"; }

  behavior_type make_behavior() override {
    lane_->attach(writer_actor{this});
    // One before may have left something, and taken its timer along.
    tell(writer_actor{this}, collect{.timed = true});
    return {
        [this](const collect& c) {
          lane_->write(c.timed);
          if (!lane_->finish()) return;
          tell(parent_, lane_done{});
          quit();
        },
    };
  }

private:
  std::shared_ptr<writer_lane> lane_;
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

void writer_lane::add(writer_queue::job job) {
  if (std::holds_alternative<finished_session>(job)) budget_->charge(writer_queue::overhead);
  gauges_->backlog.fetch_add(held_by(job), std::memory_order_relaxed);
  switch (queue_.add(std::move(job))) {
  case writer_queue::wake_up::none: return;
  case writer_queue::wake_up::now: notify(collect{}); return;
  case writer_queue::wake_up::later: notify_later(writer_queue::patience, collect{.timed = true});
  }
}

void writer_lane::close() {
  closed_ = true;
  notify(collect{});
}

void writer_lane::write(bool timed) {
  for (auto& job : queue_.take(timed))
    current_.push_back(std::move(job));
  while (!current_.empty()) {
    auto job = std::move(current_.front());
    current_.pop_front();
    const auto bytes = held_by(job);
    const bool session = std::holds_alternative<finished_session>(job);
    const auto settle = [&] {
      if (session) budget_->release(writer_queue::overhead);
      gauges_->backlog.fetch_sub(bytes, std::memory_order_relaxed);
    };
    try {
      perform(job);
    } catch (...) {
      settle();
      throw;
    }
    settle();
  }
}

void writer_lane::perform(writer_queue::job& job) {
  if (auto* p = std::get_if<writer_queue::piece>(&job)) {
    try {
      store_->append(p->session, p->from, std::move(p->bytes));
    } catch (...) {
      damaged_.insert(p->session);
      throw;
    }
    return;
  }
  auto& session = std::get<finished_session>(job);
  if (damaged_.erase(session.info.id) != 0) {
    session.summary.state = session_state::failed;
    session.summary.failure = "part of a stream could not be written";
  }
  try {
    store_->finish(std::move(session));
  } catch (const std::exception& e) {
    give_up(session, e.what());
    throw;
  } catch (...) {
    give_up(session, "unknown exception");
    throw;
  }
}

void writer_lane::give_up(finished_session& session, const char* why) {
  session.summary.state = session_state::failed;
  session.summary.failure = why;
  if (!failure_) failure_ = error{errc::system, "writing", why};
  store_->give_up(session);
}

bool writer_lane::finish() {
  if (done_) return true;
  if (!closed_) return false;
  // What was added just before closing.
  write(false);
  store_->close();
  done_ = true;
  return true;
}

void writer_lane::finish_here() noexcept {
  closed_ = true;
  while (!done_) {
    try {
      finish();
    } catch (const std::exception& e) {
      if (!failure_) failure_ = error{errc::system, "writing", e.what()};
      if (current_.empty()) done_ = true;
    } catch (...) {
      if (current_.empty()) done_ = true;
    }
  }
}

std::optional<error> writer_lane::first_error() const {
  if (const auto* e = store_->first_error()) return *e;
  return failure_;
}

writer_actor spawn_writer(caf::actor_system& system, std::shared_ptr<writer_lane> lane,
                          caf::actor parent) {
  return system.spawn<writer, caf::detached>(std::move(lane), std::move(parent));
}

void writer_port::append(std::uint64_t session_id, side s, stream_piece piece) {
  of(session_id).add(writer_queue::piece{session_id, s, std::move(piece)});
}

void writer_port::finish(finished_session session) {
  auto& lane = of(session.info.id);
  lane.add(std::move(session));
}

} // namespace weir
