#include <weir/actors/supervisor.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <fmt/format.h>

#include <weir/actors/dynamic_children.hpp>
#include <weir/actors/ordered_children.hpp>

namespace weir {

namespace {

/// What is wrong with a child's specification; nothing for empty.
std::string objection(const child_spec& spec) {
  if (spec.id.empty()) return "a child without an id";
  if (spec.id.find('/') != std::string::npos) return fmt::format("{}: a slash in the id", spec.id);
  if (!spec.start) return fmt::format("{}: no factory", spec.id);
  return {};
}

std::string objection(const supervisor_spec& spec) {
  if (spec.strategy == restart_strategy::simple_one_for_one && spec.children.size() != 1)
    return "simple_one_for_one takes one child specification";
  std::set<std::string> ids;
  for (const auto& child : spec.children) {
    if (auto text = objection(child); !text.empty()) return text;
    if (!ids.insert(child.id).second) return fmt::format("{}: two children with this id", child.id);
  }
  return {};
}

std::string path_below(const std::string& path, const std::string& id) {
  return id.empty() ? path : fmt::format("{}/{}", path, id);
}

class supervisor : public supervisor_actor::base,
                   private child_set::owner,
                   private child_lifecycle::port {
public:
  supervisor(caf::actor_config& config, supervisor_spec spec, startup above)
      : supervisor_actor::base(config),
        spec_(std::move(spec)),
        above_(std::move(above)),
        path_(above_.path().empty() ? spec_.name : above_.path()),
        names_(above_.open_names()),
        lifecycle_(*this, names_, spec_.kill_grace) {
    set_exit_handler([this](const caf::exit_msg& message) {
      // A linked actor that ended normally is none of our business.
      if (message.reason) finish(message.reason);
    });
    set_down_handler(
        [this](const caf::down_msg& message) { lifecycle_.down(message.source, message.reason); });
    keep_exception_text(*this);
  }

  const char* name() const override { return "weir.supervisor"; }

  behavior_type make_behavior() override {
    self_ = caf::actor_cast<caf::strong_actor_ptr>(address());
    if (auto text = objection(spec_); text.empty()) {
      make_children();
      children_->begin();
    } else {
      end_without_children(make_error(supervisor_errc::bad_specification, std::move(text)));
    }
    return {
        [this](start_child& request) { return start(std::move(request.spec)); },
        [this](start_dynamic_child& request) {
          auto promise = make_response_promise<caf::actor>();
          children_->start_with(std::move(request.argument), reply_with_actor(promise));
          return promise;
        },
        [this](const terminate_child& request) {
          auto promise = make_response_promise<void>();
          children_->terminate(request.id, reply_when_done(promise));
          return promise;
        },
        [this](const terminate_dynamic_child& request) {
          auto promise = make_response_promise<void>();
          children_->terminate(request.actor, reply_when_done(promise));
          return promise;
        },
        [this](const restart_child& request) {
          auto promise = make_response_promise<caf::actor>();
          children_->restart(request.id, reply_with_actor(promise));
          return promise;
        },
        [this](const delete_child& request) {
          auto promise = make_response_promise<void>();
          children_->remove(request.id, reply_when_done(promise));
          return promise;
        },
        [this](which_children) { return children_->list(); },
        [this](count_children) { return children_->count(); },
        [this](const watch_children& request) {
          watchers_.push_back(caf::actor_cast<caf::actor_addr>(request.subscriber));
        },
        [this](stop_supervisor) {
          auto promise = make_response_promise<void>();
          stop_requests_.push_back(promise);
          finish(caf::exit_reason::user_shutdown);
          return promise;
        },
        [this](const start_report& report) { lifecycle_.reported(report); },
        [this](const deadline_reached& deadline) {
          if (deadline.when == alarm_) alarm_.reset();
          lifecycle_.expire(time());
          if (const auto next = lifecycle_.next_deadline()) wake_at(*next);
        },
    };
  }

  void on_exit() override {
    if (!finished_) let_go();
    for (auto& promise : std::exchange(stop_requests_, {}))
      keep_promise(promise);
    children_.reset();
    spec_ = {};
    watchers_.clear();
    self_.reset();
  }

private:
  using time_point = child_lifecycle::time_point;
  using actor_promise = caf::typed_response_promise<caf::actor>;
  using void_promise = caf::typed_response_promise<void>;

  void make_children() {
    child_set::owner& as_owner = *this;
    child_lifecycle::port& as_port = *this;
    restart_intensity intensity{spec_.intensity, spec_.period};
    auto specs = std::move(spec_.children);
    if (spec_.strategy == restart_strategy::simple_one_for_one) {
      children_ = std::make_unique<dynamic_children>(
          as_owner, as_port, lifecycle_, std::move(intensity), std::move(specs.front()));
    } else {
      children_ = std::make_unique<ordered_children>(as_owner, as_port, lifecycle_, spec_.strategy,
                                                     std::move(intensity), std::move(specs));
    }
  }

  static child_reply reply_with_actor(actor_promise promise) {
    return [promise = std::move(promise)](const caf::error& error,
                                          const caf::strong_actor_ptr& actor) mutable {
      if (error) {
        promise.deliver(error);
      } else {
        promise.deliver(caf::actor_cast<caf::actor>(actor));
      }
    };
  }

  static child_reply reply_when_done(void_promise promise) {
    return [promise = std::move(promise)](const caf::error& error,
                                          const caf::strong_actor_ptr&) mutable {
      if (error) {
        promise.deliver(error);
      } else {
        keep_promise(promise);
      }
    };
  }

  actor_promise start(child_spec spec) {
    auto promise = make_response_promise<caf::actor>();
    if (auto text = objection(spec); !text.empty()) {
      promise.deliver(make_error(supervisor_errc::bad_specification, std::move(text)));
    } else {
      children_->start(std::move(spec), reply_with_actor(promise));
    }
    return promise;
  }

  // -- the end ----------------------------------------------------------------------

  /// Stops all children, then ends. The first reason counts.
  void finish(caf::error reason) {
    if (ending_) return;
    ending_ = true;
    end_reason_ = std::move(reason);
    children_->stop_all();
  }

  void on_all_stopped() override { end_without_children(std::move(end_reason_)); }

  void end_without_children(caf::error reason) {
    finished_ = true;
    report({supervisor_event::kind::finished, {}, {}, {}, reason, 0});
    quit(std::move(reason));
  }

  /// The supervisor has been killed: nothing can be waited for.
  void let_go() {
    lifecycle_.let_go();
    for (auto& promise : std::exchange(stop_requests_, {}))
      promise.deliver(make_error(supervisor_errc::stopping));
    if (children_) children_->refuse_waiting();
    report({supervisor_event::kind::finished, {}, {}, {}, fail_state(), 0});
  }

  // -- what the strategies say ----------------------------------------------------------

  void on_begun() override { above_.up(); }

  void on_begin_failed(const std::string& id, const caf::error& reason) override {
    finish(make_error(supervisor_errc::start_failed,
                      fmt::format("{}: {}", path_below(path_, id), reason_text(reason))));
  }

  void on_too_many_restarts(const supervised_child& child) override {
    const auto error =
        make_error(supervisor_errc::too_many_restarts, path_below(path_, child.spec->id));
    report({supervisor_event::kind::gave_up, {}, child.spec->id, {}, error, child.restarts});
    finish(error);
  }

  void on_all_ended(bool in_order) override {
    const auto reason = in_order ? caf::error{} : caf::error{caf::exit_reason::user_shutdown};
    report({supervisor_event::kind::all_ended, {}, {}, {}, reason, 0});
    if (spec_.ends_with_children) finish(reason);
  }

  // -- what the lifecycle needs -----------------------------------------------------------

  time_point time() const override { return clock().now(); }

  caf::strong_actor_ptr make_actor(const supervised_child& child) override {
    const auto& spec = *child.spec;
    startup::details details{address(), child.run,     spec.id, path_below(path_, spec.id),
                             names_,    child.argument};
    return spec.start(system(), startup{std::move(details)}).actor();
  }

  void post(start_report report) override { tell(supervisor_actor{this}, std::move(report)); }

  void watch(const caf::strong_actor_ptr& actor) override { monitor(actor); }

  void unwatch(const caf::strong_actor_ptr& actor) override {
    demonitor(caf::actor_cast<caf::actor_addr>(actor));
  }

  void ask_to_end(const caf::strong_actor_ptr& actor) override {
    tell_exit(actor, address(), caf::exit_reason::user_shutdown, false);
  }

  void kill(const caf::strong_actor_ptr& actor) override {
    tell_exit(actor, address(), caf::exit_reason::kill, true);
  }

  void kill_later(const caf::strong_actor_ptr& actor, std::chrono::nanoseconds delay) override {
    tell_later(delay, caf::actor_cast<caf::actor>(actor),
               caf::exit_msg{address(), caf::exit_reason::kill});
  }

  /// One timer for the earliest deadline; an alarm that another one has overtaken changes nothing.
  void wake_at(time_point when) override {
    if (alarm_ && *alarm_ <= when) return;
    alarm_ = when;
    tell_later(when - time(), supervisor_actor{this}, deadline_reached{when});
  }

  void report(supervisor_event event) override {
    event.supervisor = path_;
    for (const auto& subscriber : spec_.subscribers)
      tell(subscriber, event);
    std::erase_if(watchers_, [&](const caf::actor_addr& watcher) {
      const auto alive = caf::actor_cast<caf::actor>(watcher);
      if (!alive) return true;
      tell(alive, event);
      return false;
    });
  }

  supervisor_spec spec_;
  startup above_;
  std::string path_;
  std::shared_ptr<sibling_names> names_;
  child_lifecycle lifecycle_;
  std::unique_ptr<child_set> children_;
  std::vector<caf::actor_addr> watchers_;
  std::vector<void_promise> stop_requests_;
  /// When the timer that counts goes off.
  std::optional<time_point> alarm_;
  /// Lives without handles, as its children do, until it ends.
  caf::strong_actor_ptr self_;
  bool ending_ = false;
  bool finished_ = false;
  caf::error end_reason_;
};

} // namespace

supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec,
                                  const startup& above) {
  if (spec.detached) return system.spawn<supervisor, caf::detached>(std::move(spec), above);
  return system.spawn<supervisor>(std::move(spec), above);
}

caf::expected<supervisor_actor> start_supervisor(caf::actor_system& system, supervisor_spec spec) {
  caf::scoped_actor self{system};
  startup::details details;
  details.listener = self->address();
  details.path = spec.name;
  auto started = spawn_supervisor(system, std::move(spec), startup{std::move(details)});
  self->monitor(started);
  bool up = false;
  caf::error failure;
  // Either it is up, or it ends.
  self->receive([&](const start_report&) { up = true; },
                [&](const caf::down_msg& message) { failure = message.reason; });
  self->demonitor(started.address());
  if (!up) return failure;
  return started;
}

child_spec supervisor_child(std::string id, supervisor_spec spec, restart_policy restart) {
  const auto start = [spec = std::move(spec)](caf::actor_system& system, const startup& above) {
    return child_handle{spawn_supervisor(system, spec, above)};
  };
  return {std::move(id), start, restart, shutdown_policy::infinity(), std::nullopt};
}

} // namespace weir
