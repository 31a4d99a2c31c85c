#include <weir/net/output/text.hpp>

#include <array>
#include <cstring>

#include <arpa/inet.h>

#include <fmt/format.h>

namespace weir {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

constexpr char digit(unsigned value) noexcept { return static_cast<char>('0' + value); }

void put_padded(char* at, unsigned value, unsigned width) noexcept {
  for (auto i = width; i-- > 0; value /= 10)
    at[i] = digit(value % 10);
}

/// The bytes that a JSON string holds as they are.
constexpr auto plain_in_json = [] {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x80; ++c)
    plain[c] = c != '"' && c != '\\';
  return plain;
}();

/// Whether a JSON string holds these eight bytes as they are.
bool plain_eight(const char* text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x80 * ones;
  std::uint64_t eight;
  std::memcpy(&eight, text, sizeof eight);
  const auto zero_in = [](std::uint64_t v) { return (v - ones) & ~v & tops; };
  const auto control = (eight - 0x20 * ones) & ~eight & tops;
  return ((eight & tops) | control | zero_in(eight ^ '"' * ones) | zero_in(eight ^ '\\' * ones))
         == 0;
}

/// How many bytes at the beginning a JSON string holds as they are.
std::size_t plain_length(std::string_view text) noexcept {
  std::size_t n = 0;
  while (n + 8 <= text.size() && plain_eight(text.data() + n))
    n += 8;
  while (n < text.size() && plain_in_json[static_cast<unsigned char>(text[n])])
    ++n;
  return n;
}

void append_escaped(char c, std::string& out) {
  switch (c) {
  case '"': out += "\\\""; return;
  case '\\': out += "\\\\"; return;
  case '\b': out += "\\b"; return;
  case '\f': out += "\\f"; return;
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  default:
    out += "\\u00";
    out += hex_digits[c >> 4 & 0xf];
    out += hex_digits[c & 0xf];
  }
}

struct calendar_date {
  std::chrono::sys_days day;
  int year;
  unsigned month;
  unsigned day_of_month;
  unsigned day_of_year;
};

calendar_date make_date(std::chrono::sys_days day) noexcept {
  using namespace std::chrono;
  const year_month_day date{day};
  const auto first_of_year = sys_days{date.year() / January / 1};
  return {day, int{date.year()}, unsigned{date.month()}, unsigned{date.day()},
          static_cast<unsigned>((day - first_of_year).count()) + 1};
}

/// Sessions of one capture begin on the same day, mostly.
const calendar_date& date_of(std::chrono::sys_days day) noexcept {
  thread_local auto last = make_date(day);
  if (last.day != day) last = make_date(day);
  return last;
}

} // namespace

utc_time to_utc(timestamp time) noexcept {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const auto& date = date_of(day);
  // Not `time - day`: the first day there is begins before the first nanosecond there is.
  const auto of_day = (time.time_since_epoch() % days{1} + days{1}) % days{1};
  const auto second = static_cast<unsigned>(floor<seconds>(of_day).count());
  return {
      .year = date.year,
      .month = date.month,
      .day = date.day_of_month,
      .day_of_year = date.day_of_year,
      .hour = second / 3600,
      .minute = second / 60 % 60,
      .second = second % 60,
      .nanosecond = static_cast<unsigned>((of_day % seconds{1}).count()),
      .seconds = std::int64_t{day.time_since_epoch().count()} * 86400 + second,
  };
}

void append_number(std::uint64_t value, std::string& out) {
  const fmt::format_int digits{value};
  out.append(digits.data(), digits.size());
}

void append_padded(unsigned value, unsigned width, std::string& out) {
  char digits[9];
  put_padded(digits, value, width);
  out.append(digits, width);
}

void append_hex(std::uint64_t value, std::string& out) {
  char digits[16];
  for (auto i = sizeof digits; i > 0; value >>= 8) {
    digits[--i] = hex_digits[value & 0xf];
    digits[--i] = hex_digits[value >> 4 & 0xf];
  }
  out.append(digits, sizeof digits);
}

void append_address(const ip_address& address, std::string& out) {
  if (address.family == ip_family::v6) {
    char text[INET6_ADDRSTRLEN];
    out += inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
    return;
  }
  // inet_ntop is an sprintf for these.
  char text[16];
  char* end = text;
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned byte = address.bytes[i];
    if (i != 0) *end++ = '.';
    if (byte >= 100) *end++ = digit(byte / 100);
    if (byte >= 10) *end++ = digit(byte / 10 % 10);
    *end++ = digit(byte % 10);
  }
  out.append(text, end);
}

void append_time(timestamp time, std::string& out) {
  const auto t = to_utc(time);
  const bool micro = t.nanosecond % 1000 == 0;
  char text[] = "yyyy-mm-ddThh:mm:ss.nnnnnnnnnZ";
  put_padded(text, static_cast<unsigned>(t.year), 4);
  put_padded(text + 5, t.month, 2);
  put_padded(text + 8, t.day, 2);
  put_padded(text + 11, t.hour, 2);
  put_padded(text + 14, t.minute, 2);
  put_padded(text + 17, t.second, 2);
  if (micro) {
    put_padded(text + 20, t.nanosecond / 1000, 6);
    text[26] = 'Z';
  } else {
    put_padded(text + 20, t.nanosecond, 9);
  }
  out.append(text, micro ? 27 : 30);
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto plain = plain_length(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      append_escaped(text[0], out);
      text.remove_prefix(1);
    } else if (const auto n = utf8_length(text); n != 0) {
      out += text.substr(0, n);
      text.remove_prefix(n);
    } else {
      out += "\\ufffd";
      text.remove_prefix(1);
    }
  }
  out += '"';
}

std::size_t utf8_length(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  if (text.empty()) return 0;
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    // No overlong forms, no surrogates.
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    // No overlong forms, nothing beyond U+10FFFF.
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    const bool whole =
        continues(1, low, high) && continues(2, 0x80, 0xbf) && continues(3, 0x80, 0xbf);
    return whole ? 4 : 0;
  }
  return 0;
}

} // namespace weir
