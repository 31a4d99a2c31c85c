/// A supervisor at work: a worker that crashes is restarted, and goes on where it was.
///
/// usage: flaky [CRASHES]   how often the worker crashes, 1 by default; with 2, the supervisor
/// gives up

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <weir/actors/supervisor.hpp>

namespace {

constexpr int all_jobs = 5;

/// Knows how many jobs are done. What has to survive a crash belongs in another actor.
caf::behavior ledger(caf::event_based_actor*, const weir::startup& start) {
  start.up();
  return {[done = 0](int jobs) mutable { return done += jobs; }};
}

/// Does one job after the other, but crashes before the third.
class worker : public caf::event_based_actor {
public:
  worker(caf::actor_config& config, weir::startup start, bool crashes)
      : caf::event_based_actor(config), start_(std::move(start)), crashes_(crashes) {
    weir::keep_exception_text(*this);
  }

  caf::behavior make_behavior() override {
    ledger_ = start_.sibling("ledger");
    // It is up when it knows where to go on.
    request(ledger_, caf::infinite, 0).then([this](int position) {
      start_.up();
      go_on(position);
    });
    // It lives for as long as it waits for an answer.
    return {};
  }

private:
  void go_on(int position) {
    if (position == all_jobs) return quit();
    if (position == 2 && crashes_) throw std::runtime_error{"job 3 is too much"};
    request(ledger_, caf::infinite, 1).then([this](int next) { go_on(next); });
  }

  weir::startup start_;
  bool crashes_;
  caf::actor ledger_;
};

} // namespace

int main(int argc, char** argv) {
  const int crashes = argc > 1 ? std::atoi(argv[1]) : 1;
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};

  weir::supervisor_spec root{.name = "root"};
  root.subscribers = {caf::actor{self}};
  root.children.push_back({
      .id = "ledger",
      .start = [](caf::actor_system& in,
                  const weir::startup& start) { return in.spawn(ledger, start); },
  });
  root.children.push_back({
      .id = "worker",
      .start =
          [crashes, lives = 0](caf::actor_system& in, const weir::startup& start) mutable {
            return in.spawn<worker>(start, lives++ < crashes);
          },
      .restart = weir::restart_policy::transient,
  });
  const auto supervisor = weir::start_supervisor(system, std::move(root));
  if (!supervisor) {
    std::printf("%s\n", weir::reason_text(supervisor.error()).c_str());
    return EXIT_FAILURE;
  }

  using kind = weir::supervisor_event::kind;
  caf::error reason;
  bool finished = false;
  self->receive_while([&] { return !finished; })([&](const weir::supervisor_event& event) {
    std::printf("%s\n", to_string(event).c_str());
    finished = event.what == kind::finished;
    reason = event.reason;
    if (event.child == "worker" && event.what == kind::ended && !event.reason)
      self->send(*supervisor, weir::stop_supervisor{});
  });
  return weir::ended_in_order(reason) ? EXIT_SUCCESS : EXIT_FAILURE;
}
