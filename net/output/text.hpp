/// Numbers, times and addresses as text, appended to a string: what names and index lines are made
/// of. A locale or a format string would cost more than the rest of a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weir/net/address.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// A time of day and a date in UTC (Gregorian, without leap seconds).
struct utc_time {
  int year;
  unsigned month;
  unsigned day;
  /// 1 to 366.
  unsigned day_of_year;
  unsigned hour;
  unsigned minute;
  unsigned second;
  unsigned nanosecond;
  /// Since 1970-01-01 00:00.
  std::int64_t seconds;
};

utc_time to_utc(timestamp time) noexcept;

/// Decimal digits.
void append_number(std::uint64_t value, std::string& out);

/// Exactly `width` decimal digits, at most 9, zeros in front.
void append_padded(unsigned value, unsigned width, std::string& out);

/// 16 lower-case hexadecimal digits.
void append_hex(std::uint64_t value, std::string& out);

/// As `to_string(address)`.
void append_address(const ip_address& address, std::string& out);

/// RFC 3339 with `Z`: microseconds, or nanoseconds where the time has any.
void append_time(timestamp time, std::string& out);

/// A JSON string with its quotes (RFC 8259 7). Takes any bytes: what is not UTF-8 becomes U+FFFD.
void append_json_string(std::string_view text, std::string& out);

/// Length of the UTF-8 sequence (RFC 3629) that `text` begins with; zero: none.
std::size_t utf8_length(std::string_view text) noexcept;

} // namespace weir
