#include <weir/net/capture/tick_rate.hpp>

#include <algorithm>

namespace weir {

namespace {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

constexpr std::uint64_t nanoseconds = 1'000'000'000;
constexpr unsigned nanosecond_digits = 9;

constexpr std::uint64_t power_of_ten(unsigned exponent) noexcept {
  std::uint64_t power = 1;
  for (; exponent != 0; --exponent)
    power *= 10;
  return power;
}

} // namespace

tick_rate::tick_rate(std::uint8_t resolution) noexcept {
  const unsigned exponent = resolution & 0x7f;
  constexpr unsigned most_digits = 19; // 64 bits hold 10^19, and no number of ticks reaches 10^20.
  if ((resolution & 0x80) != 0) {
    multiplier_ = nanoseconds;
    shift_ = static_cast<std::uint8_t>(exponent);
  } else if (exponent <= nanosecond_digits) {
    multiplier_ = power_of_ten(nanosecond_digits - exponent);
  } else if (exponent - nanosecond_digits <= most_digits) {
    divisor_ = power_of_ten(exponent - nanosecond_digits);
  } else {
    multiplier_ = 0;
  }
}

timestamp tick_rate::time(std::uint64_t ticks, std::int64_t offset) const noexcept {
  // The product has less than 94 bits, the offset too.
  const auto product = uint128{ticks} * multiplier_;
  const auto since_offset = divisor_ == 1 ? product >> shift_ : uint128{ticks / divisor_};
  const auto total = static_cast<int128>(since_offset) + int128{offset} * int128{nanoseconds};
  const int128 latest = latest_time.time_since_epoch().count();
  return timestamp{duration{static_cast<std::int64_t>(std::clamp(total, int128{0}, latest))}};
}

} // namespace weir
