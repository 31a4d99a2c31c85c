#include <weir/actors/ordered_children.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include <weir/actors/supervisor_error.hpp>

namespace weir {

ordered_children::ordered_children(owner& supervisor, child_lifecycle::port& actor,
                                   child_lifecycle& lifecycle, restart_strategy strategy,
                                   restart_intensity intensity, std::vector<child_spec> specs)
    : owner_(supervisor),
      port_(actor),
      lifecycle_(lifecycle),
      strategy_(strategy),
      intensity_(std::move(intensity)) {
  lifecycle_.set_listener(*this);
  for (auto& spec : specs)
    insert(std::move(spec));
}

// -- requests -------------------------------------------------------------------

void ordered_children::begin() {
  plan p;
  for (auto& child : children_)
    p.starts.push_back(&child);
  p.done = [this] { owner_.on_begun(); };
  p.failed = [this](const supervised_child& child, const caf::error& reason) {
    owner_.on_begin_failed(child.spec->id, reason);
  };
  plan_ = std::move(p);
  advance();
}

void ordered_children::start(child_spec spec, child_reply reply) {
  enqueue(reply, [this, spec = std::move(spec), reply] { start_now(spec, reply); });
}

void ordered_children::start_with(std::any, child_reply reply) {
  answer(reply, supervisor_errc::wrong_strategy);
}

void ordered_children::terminate(const std::string& id, child_reply reply) {
  enqueue(reply, [this, id, reply] { terminate_now(id, reply); });
}

void ordered_children::terminate(const caf::actor_addr&, child_reply reply) {
  answer(reply, supervisor_errc::wrong_strategy);
}

void ordered_children::restart(const std::string& id, child_reply reply) {
  enqueue(reply, [this, id, reply] { restart_now(id, reply); });
}

void ordered_children::remove(const std::string& id, child_reply reply) {
  enqueue(reply, [this, id, reply] { remove_now(id, reply); });
}

std::vector<child_info> ordered_children::list() const {
  std::vector<child_info> all;
  for (const auto& child : children_)
    all.push_back(info_of(child));
  return all;
}

child_counts ordered_children::count() const {
  const auto active = std::count_if(children_.begin(), children_.end(), [](const auto& child) {
    return child.state == child_state::up;
  });
  return {children_.size(), static_cast<std::size_t>(active)};
}

void ordered_children::refuse_waiting() {
  if (plan_) answer(std::exchange(plan_->reply, {}), supervisor_errc::stopping);
  for (const auto& refused : std::exchange(tasks_, {}))
    answer(refused.reply, supervisor_errc::stopping);
}

void ordered_children::stop_all() {
  closing_ = true;
  refuse_waiting();
  awaited_ = nullptr;
  plan p;
  for (auto& child : children_)
    p.stops.push_front(&child);
  p.done = [this] { owner_.on_all_stopped(); };
  plan_ = std::move(p);
  advance();
}

void ordered_children::start_now(child_spec spec, const child_reply& reply) {
  if (const auto* present = find(spec.id)) {
    const bool up = present->state == child_state::up;
    return answer(reply, up ? supervisor_errc::already_started : supervisor_errc::already_present);
  }
  start_one(insert(std::move(spec)), reply, [this](supervised_child& child) { erase(child); });
}

void ordered_children::restart_now(const std::string& id, const child_reply& reply) {
  auto* child = find(id);
  if (child == nullptr) return answer(reply, supervisor_errc::not_found);
  if (child->state == child_state::restarting) return answer(reply, supervisor_errc::restarting);
  if (child->state != child_state::stopped) return answer(reply, supervisor_errc::running);
  start_one(*child, reply, [](supervised_child&) {});
}

void ordered_children::start_one(supervised_child& child, const child_reply& reply,
                                 std::function<void(supervised_child&)> failed) {
  plan p;
  p.starts = {&child};
  p.reply = reply;
  // By name: a temporary child that said that it is not needed is gone by then.
  p.done = [this, id = child.spec->id, reply] {
    const auto* started = find(id);
    const bool up = started != nullptr && started->actor;
    if (up) return answer(reply, {}, started->actor);
    answer(reply, supervisor_errc::ignored);
  };
  p.failed = [reply, failed = std::move(failed)](supervised_child& c, const caf::error& reason) {
    failed(c);
    answer(reply, make_error(supervisor_errc::start_failed, reason_text(reason)));
  };
  plan_ = std::move(p);
}

void ordered_children::terminate_now(const std::string& id, const child_reply& reply) {
  auto* child = find(id);
  if (child == nullptr) return answer(reply, supervisor_errc::not_found);
  plan p;
  p.stops = {child};
  p.reply = reply;
  p.done = [reply] { answer(reply, {}); };
  plan_ = std::move(p);
}

void ordered_children::remove_now(const std::string& id, const child_reply& reply) {
  auto* child = find(id);
  if (child == nullptr) return answer(reply, supervisor_errc::not_found);
  if (child->state == child_state::restarting) return answer(reply, supervisor_errc::restarting);
  if (child->state != child_state::stopped) return answer(reply, supervisor_errc::running);
  erase(*child);
  answer(reply, {});
}

// -- the way of a plan ------------------------------------------------------------

void ordered_children::enqueue(child_reply reply, std::function<void()> begin) {
  if (closing_) return answer(reply, supervisor_errc::stopping);
  tasks_.push_back({std::move(begin), std::move(reply)});
  advance();
}

void ordered_children::advance() {
  while (awaited_ == nullptr) {
    if (plan_) {
      step();
    } else if (!tasks_.empty()) {
      const auto next = std::move(tasks_.front());
      tasks_.pop_front();
      next.begin();
    } else {
      return report_if_all_ended();
    }
  }
}

void ordered_children::step() {
  if (!plan_->stops.empty()) {
    auto& child = *plan_->stops.front();
    plan_->stops.pop_front();
    if (lifecycle_.stop(child)) awaited_ = &child;
  } else if (!plan_->starts.empty()) {
    auto& child = *plan_->starts.front();
    plan_->starts.pop_front();
    awaited_ = &child;
    lifecycle_.start(child, plan_->again);
  } else {
    const auto done = std::move(plan_->done);
    plan_.reset();
    done();
  }
}

bool ordered_children::awaited(const supervised_child& child) {
  if (awaited_ != &child) return false;
  awaited_ = nullptr;
  return true;
}

void ordered_children::on_up(supervised_child& child) {
  if (awaited(child)) advance();
}

void ordered_children::on_ignored(supervised_child& child) {
  const bool planned = awaited(child);
  if (!closing_) settle(child);
  if (planned) advance();
}

void ordered_children::on_stopped(supervised_child& child) {
  const bool planned = awaited(child);
  if (!closing_) settle(child);
  if (planned) advance();
}

void ordered_children::on_start_failed(supervised_child& child, const caf::error& reason) {
  if (!awaited(child)) return;
  const auto failed = std::move(plan_->failed);
  plan_.reset();
  failed(child, reason);
  advance();
}

void ordered_children::on_ended(supervised_child& child, const caf::error& reason) {
  if (closing_) return;
  if (needs_restart(child, ended_in_order(reason))) {
    child.state = child_state::restarting;
  } else {
    ended_ = true;
    if (reason) in_order_ = false;
  }
  enqueue({}, [this, id = child.spec->id, run = child.run] { recover(id, run); });
}

// -- restarts -----------------------------------------------------------------------

/// Nothing is left to do if the child has been stopped, forgotten or started meanwhile.
void ordered_children::recover(const std::string& id, std::uint64_t run) {
  auto* child = find(id);
  if (child == nullptr || child->run != run) return;
  if (child->state == child_state::restarting) return restart_from(*child);
  settle(*child);
}

void ordered_children::restart_from(supervised_child& child) {
  if (!intensity_.allow(port_.time())) return owner_.on_too_many_restarts(child);
  plan p;
  p.again = true;
  const auto position = by_id_.at(child.spec->id);
  const auto first = strategy_ == restart_strategy::one_for_all ? children_.begin() : position;
  const auto last =
      strategy_ == restart_strategy::one_for_one ? std::next(position) : children_.end();
  for (auto i = first; i != last; ++i) {
    p.stops.push_front(&*i);
    if (i->spec->restart != restart_policy::temporary) p.starts.push_back(&*i);
  }
  p.failed = [this](supervised_child& failed, const caf::error&) {
    failed.state = child_state::restarting;
    // Behind what waits already, which may be to terminate it.
    tasks_.push_back({[this, id = failed.spec->id, run = failed.run] { recover(id, run); }, {}});
  };
  p.done = [] {};
  plan_ = std::move(p);
}

void ordered_children::report_if_all_ended() {
  if (closing_ || !std::exchange(ended_, false)) return;
  const bool any = std::any_of(children_.begin(), children_.end(), [](const auto& child) {
    return child.state != child_state::stopped;
  });
  if (!any) owner_.on_all_ended(std::exchange(in_order_, true));
}

// -- the table -------------------------------------------------------------------------

supervised_child* ordered_children::find(std::string_view id) {
  const auto i = by_id_.find(id);
  return i == by_id_.end() ? nullptr : &*i->second;
}

supervised_child& ordered_children::insert(child_spec spec) {
  auto& child = children_.emplace_back();
  child.spec = std::make_shared<const child_spec>(std::move(spec));
  by_id_.emplace(child.spec->id, std::prev(children_.end()));
  return child;
}

void ordered_children::erase(supervised_child& child) {
  const auto i = by_id_.find(child.spec->id);
  const auto position = i->second;
  by_id_.erase(i);
  children_.erase(position);
}

void ordered_children::settle(supervised_child& child) {
  if (child.spec->restart == restart_policy::temporary) erase(child);
}

} // namespace weir
