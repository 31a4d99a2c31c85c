/// The errors of supervisors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/error.hpp>

namespace weir {

/// With the names of OTP's answers where OTP has them.
enum class supervisor_errc : std::uint8_t {
  /// There is a child specification with this id, and its child is not up.
  already_present = 1,
  /// There is a child with this id, and it is up.
  already_started,
  /// There is no such child.
  not_found,
  /// The child is up, and must not be for this.
  running,
  /// The child is about to be restarted.
  restarting,
  /// The request does not go with the supervisor's strategy.
  wrong_strategy,
  /// The specification contradicts itself; the text says where.
  bad_specification,
  /// The child said that it is not needed.
  ignored,
  /// The child did not start; the text says why.
  start_failed,
  /// The child did not say within its start timeout that it is up.
  start_timeout,
  /// The child ended, without an error, before it was up.
  ended_early,
  /// The child's factory gave no actor, or one that has a supervisor already.
  no_actor,
  /// The supervisor is stopping.
  stopping,
  /// The supervisor gave up: more restarts than its intensity allows.
  too_many_restarts,
  /// An exception; the text is the exception's.
  exception,
};

/// A few words, in English, lower case, without a full stop.
std::string_view to_string(supervisor_errc code) noexcept;

/// Makes the codes convertible to, and comparable with, `caf::error`. The category is "supervisor".
caf::error make_error(supervisor_errc code);
caf::error make_error(supervisor_errc code, std::string text);

caf::error exception_error(std::string text);

/// A line for people: why an actor ended, or what an error of a supervisor or of CAF says. "normal"
/// for no error.
std::string reason_text(const caf::error& reason);

/// OTP's normal and shutdown, after which a transient child is not restarted: no error, or
/// `caf::exit_reason::user_shutdown`.
bool ended_in_order(const caf::error& reason);

} // namespace weir
