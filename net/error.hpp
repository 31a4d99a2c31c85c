/// How net/ reports what went wrong: values, each with a code to act on and a line to show.
/// Exceptions are left to programming errors and failed allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace weir {

enum class errc : std::uint8_t {
  /// The operating system refused: `error::detail` has its words.
  system = 1,
  /// The file is not a capture that weir reads.
  not_a_capture,
  /// The capture ends within a record; everything before it was read.
  truncated,
  /// A record contradicts itself; everything before it was read.
  damaged,
  /// The compressed data is broken.
  bad_compression,
  /// The filter expression does not compile.
  bad_filter,
  /// The name template has an unknown field or a format error.
  bad_template,
  /// The output exists and would be overwritten.
  already_exists,
  /// No room on the device.
  no_space,
  /// Someone asked for the end of waiting (`interruption`).
  interrupted,
};

/// A few words for a code, in English, lower case, without a full stop.
std::string_view to_string(errc code) noexcept;

/// `subject` is the thing concerned (a file, an option), `detail` what else there is to say.
struct error {
  errc code;
  std::string subject;
  std::string detail;

  /// One line: `subject: detail`, or the code's text where there is no detail.
  std::string message() const;
};

/// An error of the operating system, from an errno value; ENOSPC and EDQUOT become `no_space`.
error system_error(int errno_value, std::string subject);

template<class T>
using result = tl::expected<T, error>;

} // namespace weir
