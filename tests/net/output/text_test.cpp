#include <weir/net/output/text.hpp>

#include <limits>

#include "session_samples.hpp"

namespace weir::test {
namespace {

using std::chrono::nanoseconds;

std::string time_text(std::int64_t ns) {
  std::string out;
  append_time(timestamp{nanoseconds{ns}}, out);
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

TEST(append_time, writes_microseconds_in_utc) {
  EXPECT_EQ(time_text(sample_time.time_since_epoch().count()), "2026-01-31T23:59:59.123456Z");
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(time_text(1709164800'000000000), "2024-02-29T00:00:00.000000Z");
}

TEST(append_time, writes_nanoseconds_where_there_are_any) {
  EXPECT_EQ(time_text(1'000000001), "1970-01-01T00:00:01.000000001Z");
  EXPECT_EQ(time_text(1'000001000), "1970-01-01T00:00:01.000001Z");
}

TEST(append_time, takes_every_timestamp) {
  EXPECT_EQ(time_text(latest_time.time_since_epoch().count()), "2116-02-20T23:53:38.427387904Z");
  EXPECT_EQ(time_text(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(time_text(std::numeric_limits<std::int64_t>::max()).substr(0, 4), "2262");
  EXPECT_EQ(time_text(std::numeric_limits<std::int64_t>::min()).substr(0, 4), "1677");
}

TEST(to_utc, counts_the_days_of_the_year) {
  const auto day = [](std::int64_t seconds) {
    return to_utc(timestamp{std::chrono::seconds{seconds}}).day_of_year;
  };
  EXPECT_EQ(day(1767225600), 1U);       // 2026-01-01
  EXPECT_EQ(day(1767225600 - 1), 365U); // 2025-12-31
  EXPECT_EQ(day(1735689600 - 1), 366U); // 2024-12-31, a leap year
  EXPECT_EQ(day(1709164800), 31U + 29); // 2024-02-29
}

TEST(append_address, agrees_with_to_string) {
  for (const auto* text : {"0.0.0.0", "255.255.255.255", "192.0.2.10", "::", "2001:db8::1",
                           "2001:470:e5bf:dead:4957:2174:e82c:4887"}) {
    std::string out;
    append_address(address(text), out);
    EXPECT_EQ(out, to_string(address(text)));
  }
}

TEST(append_json_string, escapes_what_json_must_not_hold) {
  EXPECT_EQ(json_string("plain text"), R"("plain text")");
  EXPECT_EQ(json_string("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view{"\0\x1f", 2}), R"("\u0000\u001f")");
  EXPECT_EQ(json_string(""), R"("")");
}

TEST(append_json_string, keeps_utf8_and_replaces_all_else) {
  EXPECT_EQ(json_string("é€😀"), "\"é€😀\"");
  EXPECT_EQ(json_string("a\xff"
                        "b"),
            R"("a\ufffdb")");
  EXPECT_EQ(json_string("\xc3"), R"("\ufffd")");                               // cut
  EXPECT_EQ(json_string("\xc0\xaf"), R"("\ufffd\ufffd")");                     // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");           // surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")"); // past U+10FFFF
}

TEST(append_json_string, is_valid_json_for_every_pair_of_bytes) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const char bytes[] = {static_cast<char>(a), static_cast<char>(b)};
      EXPECT_TRUE(nlohmann::json::accept(json_string({bytes, 2}))) << a << ' ' << b;
    }
}

} // namespace
} // namespace weir::test
