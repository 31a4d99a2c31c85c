#include <weir/actors/supervisor_error.hpp>

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <fmt/format.h>

#include <weir/actors/compat.hpp>

namespace weir {

namespace {

constexpr std::string_view category = "supervisor";

/// The code's name alone. CAF 0.17 cannot render an error without an actor system.
std::string code_text(const caf::error& reason) {
#ifdef WEIR_CAF_1
  return caf::to_string(reason);
#else
  if (reason.category() == caf::atom_from_string(std::string{category}))
    return std::string{to_string(supervisor_errc{reason.code()})};
  if (reason.category() == caf::atom("exit"))
    return caf::to_string(static_cast<caf::exit_reason>(reason.code()));
  if (reason.category() == caf::atom("system"))
    return caf::to_string(static_cast<caf::sec>(reason.code()));
  return fmt::format("{} error {}", caf::to_string(reason.category()), reason.code());
#endif
}

} // namespace

std::string_view to_string(supervisor_errc code) noexcept {
  switch (code) {
  case supervisor_errc::already_present: return "already present";
  case supervisor_errc::already_started: return "already started";
  case supervisor_errc::not_found: return "no such child";
  case supervisor_errc::running: return "child is running";
  case supervisor_errc::restarting: return "child is being restarted";
  case supervisor_errc::wrong_strategy: return "not with this supervisor's strategy";
  case supervisor_errc::bad_specification: return "bad specification";
  case supervisor_errc::ignored: return "child is not needed";
  case supervisor_errc::start_failed: return "start failed";
  case supervisor_errc::start_timeout: return "not up in time";
  case supervisor_errc::ended_early: return "ended before it was up";
  case supervisor_errc::no_actor: return "no actor of its own";
  case supervisor_errc::stopping: return "supervisor is stopping";
  case supervisor_errc::too_many_restarts: return "too many restarts";
  case supervisor_errc::exception: return "exception";
  }
  return "unknown";
}

caf::error make_error(supervisor_errc code) { return make_error(code, {}); }

caf::error make_error(supervisor_errc code, std::string text) {
  return error_with_text(code, category, std::move(text));
}

caf::error exception_error(std::string text) {
  return make_error(supervisor_errc::exception, std::move(text));
}

std::string reason_text(const caf::error& reason) {
  if (!reason) return "normal";
  const auto text = text_of(reason);
  return text.empty() ? code_text(reason) : fmt::format("{}: {}", code_text(reason), text);
}

bool ended_in_order(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown;
}

} // namespace weir
