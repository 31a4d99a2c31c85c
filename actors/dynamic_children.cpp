#include <weir/actors/dynamic_children.hpp>

#include <utility>

#include <weir/actors/supervisor_error.hpp>

namespace weir {

dynamic_children::dynamic_children(owner& supervisor, child_lifecycle::port& actor,
                                   child_lifecycle& lifecycle, restart_intensity intensity,
                                   child_spec spec)
    : owner_(supervisor), port_(actor), lifecycle_(lifecycle), intensity_(std::move(intensity)) {
  // Its id names the specification, not the children.
  spec.id.clear();
  spec_ = std::make_shared<const child_spec>(std::move(spec));
  lifecycle_.set_listener(*this);
}

// -- requests -------------------------------------------------------------------

void dynamic_children::begin() { owner_.on_begun(); }

void dynamic_children::start(child_spec, child_reply reply) {
  answer(reply, supervisor_errc::wrong_strategy);
}

void dynamic_children::start_with(std::any argument, child_reply reply) {
  if (closing_) return answer(reply, supervisor_errc::stopping);
  const auto number = ++numbers_;
  auto& child = children_[number];
  child.spec = spec_;
  child.argument = std::move(argument);
  child.number = number;
  starting_[number].push_back(std::move(reply));
  lifecycle_.start(child, false);
}

void dynamic_children::terminate(const std::string&, child_reply reply) {
  answer(reply, supervisor_errc::wrong_strategy);
}

void dynamic_children::terminate(const caf::actor_addr& actor, child_reply reply) {
  if (closing_) return answer(reply, supervisor_errc::stopping);
  auto* child = lifecycle_.find(actor);
  if (child == nullptr) return answer(reply, supervisor_errc::not_found);
  terminating_[child->number].push_back(std::move(reply));
  if (child->state == child_state::up) --active_;
  lifecycle_.stop(*child);
}

void dynamic_children::restart(const std::string&, child_reply reply) {
  answer(reply, supervisor_errc::wrong_strategy);
}

void dynamic_children::remove(const std::string&, child_reply reply) {
  answer(reply, supervisor_errc::wrong_strategy);
}

std::vector<child_info> dynamic_children::list() const {
  std::vector<child_info> all;
  for (const auto& [number, child] : children_)
    all.push_back(info_of(child));
  return all;
}

child_counts dynamic_children::count() const { return {1, active_}; }

void dynamic_children::refuse_waiting() {
  for (auto* replies : {&starting_, &terminating_}) {
    for (const auto& [number, waiting] : std::exchange(*replies, {})) {
      for (const auto& reply : waiting)
        answer(reply, supervisor_errc::stopping);
    }
  }
}

void dynamic_children::stop_all() {
  closing_ = true;
  refuse_waiting();
  active_ = 0;
  for (auto i = children_.begin(); i != children_.end();)
    i = lifecycle_.stop(i->second) ? std::next(i) : children_.erase(i);
  report_if_all_stopped();
}

// -- lives ----------------------------------------------------------------------

void dynamic_children::on_up(supervised_child& child) {
  ++active_;
  answer_all(starting_, child, {});
}

void dynamic_children::on_ignored(supervised_child& child) {
  answer_all(starting_, child, supervisor_errc::ignored);
  erase(child);
}

void dynamic_children::on_start_failed(supervised_child& child, const caf::error& reason) {
  const bool first = starting_.contains(child.number);
  if (!first) return restart(child);
  answer_all(starting_, child, make_error(supervisor_errc::start_failed, reason_text(reason)));
  erase(child);
}

void dynamic_children::on_ended(supervised_child& child, const caf::error& reason) {
  --active_;
  if (needs_restart(child, ended_in_order(reason))) return restart(child);
  if (reason) in_order_ = false;
  erase(child);
  if (children_.empty()) owner_.on_all_ended(std::exchange(in_order_, true));
}

void dynamic_children::on_stopped(supervised_child& child) {
  answer_all(starting_, child, supervisor_errc::ended_early);
  answer_all(terminating_, child, {});
  erase(child);
}

void dynamic_children::restart(supervised_child& child) {
  child.state = child_state::restarting;
  if (!intensity_.allow(port_.time())) return owner_.on_too_many_restarts(child);
  lifecycle_.start(child, true);
}

void dynamic_children::erase(supervised_child& child) {
  const auto number = child.number;
  children_.erase(number);
  if (closing_) report_if_all_stopped();
}

void dynamic_children::answer_all(reply_map& replies, const supervised_child& child,
                                  const caf::error& error) {
  const auto waiting = replies.extract(child.number);
  if (waiting.empty()) return;
  for (const auto& reply : waiting.mapped())
    answer(reply, error, child.actor);
}

void dynamic_children::report_if_all_stopped() {
  if (children_.empty()) owner_.on_all_stopped();
}

} // namespace weir
