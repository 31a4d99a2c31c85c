#include <weir/net/capture/tick_rate.hpp>

#include <limits>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr auto most_ticks = std::numeric_limits<std::uint64_t>::max();
constexpr auto latest = latest_time.time_since_epoch().count();

struct conversion {
  int resolution;
  std::uint64_t ticks;
  std::int64_t offset;
  std::int64_t nanoseconds;
};

void PrintTo(const conversion& c, std::ostream* out) {
  *out << "if_tsresol " << c.resolution << ", ticks " << c.ticks << ", offset " << c.offset;
}

class tick_rate_conversion : public testing::TestWithParam<conversion> {};

TEST_P(tick_rate_conversion, is_right_to_the_nanosecond) {
  const auto& c = GetParam();
  const tick_rate rate{static_cast<std::uint8_t>(c.resolution)};
  EXPECT_EQ(rate.time(c.ticks, c.offset).time_since_epoch().count(), c.nanoseconds);
}

constexpr int power_of_two = 0x80;

INSTANTIATE_TEST_SUITE_P(
    decimal, tick_rate_conversion,
    testing::Values(conversion{0, 7, 0, 7'000'000'000}, conversion{3, 1'500, 0, 1'500'000'000},
                    conversion{6, 1'700'000'000'123'456, 0, 1'700'000'000'123'456'000},
                    conversion{9, 1'700'000'000'123'456'789, 0, 1'700'000'000'123'456'789},
                    conversion{10, 19, 0, 1}, conversion{12, 1'999, 0, 1},
                    conversion{19, most_ticks, 0, 1'844'674'407}, conversion{28, most_ticks, 0, 1},
                    conversion{29, most_ticks, 0, 0}, conversion{127, most_ticks, 0, 0}));

INSTANTIATE_TEST_SUITE_P(
    binary, tick_rate_conversion,
    testing::Values(conversion{power_of_two | 0, 7, 0, 7'000'000'000},
                    conversion{power_of_two | 1, 3, 0, 1'500'000'000},
                    conversion{power_of_two | 10, 1025, 0, 1'000'976'562},
                    conversion{power_of_two | 32, (1'700'000'000ULL << 32) + (1ULL << 31), 0,
                               1'700'000'000'500'000'000},
                    conversion{power_of_two | 63, most_ticks, 0, 1'999'999'999},
                    conversion{power_of_two | 64, most_ticks, 0, 999'999'999},
                    conversion{power_of_two | 93, most_ticks, 0, 1},
                    conversion{power_of_two | 94, most_ticks, 0, 0},
                    conversion{power_of_two | 127, most_ticks, 0, 0}));

INSTANTIATE_TEST_SUITE_P(offset, tick_rate_conversion,
                         testing::Values(conversion{9, 5, 1'700'000'000, 1'700'000'000'000'000'005},
                                         conversion{9, 3'000'000'005, -2, 1'000'000'005},
                                         conversion{12, 1'000'000'001'999, -1, 1}));

INSTANTIATE_TEST_SUITE_P(
    out_of_range, tick_rate_conversion,
    testing::Values(conversion{0, most_ticks, 0, latest}, conversion{6, most_ticks, 0, latest},
                    conversion{0, most_ticks, std::numeric_limits<std::int64_t>::max(), latest},
                    conversion{9, 5, -1, 0},
                    conversion{9, 5, std::numeric_limits<std::int64_t>::min(), 0},
                    conversion{power_of_two | 0, most_ticks, 0, latest}));

TEST(tick_rate, is_microseconds_by_default) {
  EXPECT_EQ(tick_rate{}.time(5, 0), timestamp{duration{5'000}});
}

} // namespace
} // namespace weir
