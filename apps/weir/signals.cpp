#include <weir/apps/weir/signals.hpp>

#include <atomic>
#include <csignal>

#include <unistd.h>

namespace weir::app {

namespace {

std::atomic<interruption*> to_stop{nullptr};
std::atomic<bool> stopping{false};
std::atomic<bool> status{false};
static_assert(std::atomic<interruption*>::is_always_lock_free, "handlers may not lock");

extern "C" void on_stop(int signal) {
  if (stopping.exchange(true)) _exit(128 + signal);
  if (auto* const i = to_stop.load()) i->raise();
}

extern "C" void on_status(int) { status = true; }

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

} // namespace

signals::signals() {
  stopping = false;
  status = false;
  to_stop = stop_.get();
  handle(SIGINT, on_stop);
  handle(SIGTERM, on_stop);
  handle(SIGUSR1, on_status);
}

signals::~signals() {
  for (const int s : {SIGINT, SIGTERM, SIGUSR1})
    handle(s, SIG_DFL);
  to_stop = nullptr;
}

bool signals::status_wanted() noexcept { return status.exchange(false); }

} // namespace weir::app
