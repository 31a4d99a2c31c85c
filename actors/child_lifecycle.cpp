#include <weir/actors/child_lifecycle.hpp>

#include <exception>
#include <utility>

#include <weir/actors/supervisor_error.hpp>

namespace weir {

namespace {

caf::actor_addr address_of(const caf::strong_actor_ptr& actor) {
  return caf::actor_cast<caf::actor_addr>(actor);
}

} // namespace

void child_lifecycle::start(supervised_child& child, bool again) {
  const auto number = ++runs_;
  child.state = child_state::starting;
  child.run = number;
  running_.emplace(number, run{&child, again});
  caf::error failure = supervisor_errc::no_actor;
  caf::strong_actor_ptr actor;
  try {
    actor = port_.make_actor(child);
  } catch (const std::exception& e) {
    failure = exception_error(e.what());
  } catch (...) {
    failure = exception_error("unknown exception");
  }
  if (!actor || !by_actor_.emplace(address_of(actor), number).second) {
    // By mail: what the factory itself has said comes first.
    port_.post({number, start_report::outcome::failed, std::move(failure)});
    return;
  }
  child.actor = std::move(actor);
  port_.watch(child.actor);
  if (child.spec->start_timeout) set_deadline(number, *child.spec->start_timeout);
}

bool child_lifecycle::stop(supervised_child& child) {
  auto* r = find_run(child.run);
  if (r == nullptr || !child.actor) {
    release(child.run);
    child.state = child_state::stopped;
    return false;
  }
  r->then = outcome::stopped;
  if (r->at == phase::starting || r->at == phase::up) ask(*r);
  return true;
}

supervised_child* child_lifecycle::find(const caf::actor_addr& actor) {
  const auto i = by_actor_.find(actor);
  return i == by_actor_.end() ? nullptr : running_.at(i->second).child;
}

child_lifecycle::run* child_lifecycle::find_run(std::uint64_t number) {
  const auto i = running_.find(number);
  return i == running_.end() ? nullptr : &i->second;
}

void child_lifecycle::reported(const start_report& report) {
  auto* r = find_run(report.run);
  if (r == nullptr || r->at != phase::starting) return;
  switch (report.what) {
  case start_report::outcome::up: return came_up(*r);
  case start_report::outcome::ignored: return give_up_start(*r, outcome::ignored, {});
  case start_report::outcome::failed:
    return give_up_start(*r, outcome::failed,
                         report.reason ? report.reason : supervisor_errc::start_failed);
  }
}

void child_lifecycle::came_up(run& r) {
  auto& child = *r.child;
  if (!child.actor) return give_up_start(r, outcome::failed, supervisor_errc::no_actor);
  r.at = phase::up;
  deadlines_.cancel(child.run);
  child.state = child_state::up;
  if (r.again) ++child.restarts;
  if (!child.spec->id.empty()) names_->set(child.spec->id, address_of(child.actor));
  using kind = supervisor_event::kind;
  report(r.again ? kind::restarted : kind::started, child, address_of(child.actor));
  listener_->on_up(child);
}

void child_lifecycle::give_up_start(run& r, outcome then, caf::error failure) {
  r.then = then;
  r.failure = std::move(failure);
  if (r.child->actor) return ask(r);
  const auto ended = r;
  release(r.child->run);
  conclude(ended);
}

void child_lifecycle::ask(run& r) {
  const auto& policy = r.child->spec->shutdown;
  if (policy.kills()) return kill(r);
  r.at = phase::asked;
  r.child->state = child_state::stopping;
  deadlines_.cancel(r.child->run);
  if (policy.time()) set_deadline(r.child->run, *policy.time());
  port_.ask_to_end(r.child->actor);
}

void child_lifecycle::kill(run& r) {
  r.at = phase::killed;
  r.child->state = child_state::stopping;
  set_deadline(r.child->run, kill_grace_);
  port_.kill(r.child->actor);
}

void child_lifecycle::set_deadline(std::uint64_t number, std::chrono::nanoseconds delay) {
  const auto when = port_.time() + delay;
  deadlines_.set(number, when);
  port_.wake_at(when);
}

void child_lifecycle::down(const caf::actor_addr& actor, const caf::error& reason) {
  const auto i = by_actor_.find(actor);
  if (i == by_actor_.end()) return;
  const auto number = i->second;
  auto r = running_.at(number);
  release(number);
  if (r.at == phase::up) {
    report(supervisor_event::kind::ended, *r.child, actor, reason);
    listener_->on_ended(*r.child, reason);
    return;
  }
  if (r.at == phase::starting) {
    r.then = outcome::failed;
    r.failure = reason ? reason : supervisor_errc::ended_early;
  }
  if (r.then == outcome::stopped) report(supervisor_event::kind::stopped, *r.child, actor, reason);
  conclude(r);
}

void child_lifecycle::expire(time_point now) {
  for (const auto number : deadlines_.take_expired(now)) {
    auto* r = find_run(number);
    if (r == nullptr) continue;
    if (r->at == phase::starting) {
      r->then = outcome::failed;
      r->failure = supervisor_errc::start_timeout;
      kill(*r);
    } else if (r->at == phase::asked) {
      report(supervisor_event::kind::killed, *r->child, address_of(r->child->actor));
      kill(*r);
    } else {
      const auto ended = *r;
      const auto actor = ended.child->actor;
      port_.unwatch(actor);
      release(number);
      report(supervisor_event::kind::abandoned, *ended.child, address_of(actor));
      conclude(ended);
    }
  }
}

void child_lifecycle::release(std::uint64_t number) {
  const auto i = running_.find(number);
  if (i == running_.end()) return;
  auto& child = *i->second.child;
  running_.erase(i);
  deadlines_.cancel(number);
  if (!child.actor) return;
  by_actor_.erase(address_of(child.actor));
  child.actor.reset();
  child.state = child_state::stopped;
  if (!child.spec->id.empty()) names_->erase(child.spec->id);
}

/// The run is over, and has been released.
void child_lifecycle::conclude(const run& r) {
  auto& child = *r.child;
  child.state = child_state::stopped;
  switch (r.then) {
  case outcome::stopped: return listener_->on_stopped(child);
  case outcome::ignored:
    report(supervisor_event::kind::ignored, child, {});
    return listener_->on_ignored(child);
  case outcome::failed:
    report(supervisor_event::kind::start_failed, child, {}, r.failure);
    return listener_->on_start_failed(child, r.failure);
  }
}

void child_lifecycle::let_go() {
  for (auto& [number, r] : running_) {
    if (!r.child->actor) continue;
    const auto& policy = r.child->spec->shutdown;
    if (policy.kills()) {
      port_.kill(r.child->actor);
      continue;
    }
    port_.ask_to_end(r.child->actor);
    if (policy.time()) port_.kill_later(r.child->actor, *policy.time());
  }
}

void child_lifecycle::report(supervisor_event::kind what, const supervised_child& child,
                             const caf::actor_addr& actor, const caf::error& reason) {
  port_.report({what, {}, child.spec->id, actor, reason, child.restarts});
}

} // namespace weir
