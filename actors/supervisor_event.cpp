#include <weir/actors/supervisor_event.hpp>

#include <fmt/format.h>

#include <weir/actors/supervisor_error.hpp>

namespace weir {

namespace {

/// Children without a name are told apart by their actors.
std::string subject(const supervisor_event& event) {
  if (!event.child.empty()) return fmt::format("{}/{}", event.supervisor, event.child);
  if (event.actor) return fmt::format("{}/#{}", event.supervisor, event.actor.id());
  return event.supervisor;
}

} // namespace

std::string to_string(const supervisor_event& event) {
  using kind = supervisor_event::kind;
  auto who = subject(event);
  const auto why = reason_text(event.reason);
  switch (event.what) {
  case kind::started: return fmt::format("{} started", who);
  case kind::restarted: return fmt::format("{} restarted ({})", who, event.restarts);
  case kind::ignored: return fmt::format("{} is not needed", who);
  case kind::start_failed: return fmt::format("{} did not start ({})", who, why);
  case kind::ended: return fmt::format("{} ended ({})", who, why);
  case kind::stopped: return fmt::format("{} stopped ({})", who, why);
  case kind::killed: return fmt::format("{} killed after its shutdown time", who);
  case kind::abandoned: return fmt::format("{} abandoned, it is still busy", who);
  case kind::gave_up: return fmt::format("{} gave up on {}", event.supervisor, who);
  case kind::all_ended: return fmt::format("{} has no children left ({})", who, why);
  case kind::finished: return fmt::format("{} finished ({})", who, why);
  }
  return who;
}

} // namespace weir
