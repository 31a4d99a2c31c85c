/// What an interface of a pcapng file counts its time in.
#pragma once

#include <cstdint>

#include <weir/net/time.hpp>

namespace weir {

class tick_rate {
public:
  /// Microseconds, where the file says nothing else.
  tick_rate() : tick_rate(6) {}

  /// `resolution` is if_tsresol: a negative power of ten, or of two with the top bit set
  /// (draft-ietf-opsawg-pcapng 4.2).
  explicit tick_rate(std::uint8_t resolution) noexcept;

  /// The time `ticks` after 1970 plus `offset` seconds (if_tsoffset), rounded down to nanoseconds,
  /// no earlier than 1970 and no later than latest_time.
  timestamp time(std::uint64_t ticks, std::int64_t offset) const noexcept;

private:
  /// Nanoseconds are ticks * multiplier / divisor >> shift.
  std::uint64_t multiplier_ = 1;
  std::uint64_t divisor_ = 1;
  std::uint8_t shift_ = 0;
};

} // namespace weir
