/// Packet time: the only clock of net/. Every timeout, rate and name comes from it, so that a
/// capture file gives the same result on every run.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

/// Nanoseconds since 1970-01-01 00:00 UTC, without leap seconds, as pcap and pcapng count.
/// Sources clamp what a file claims to [0, latest_time], so sums with any timeout cannot overflow.
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;
using duration = std::chrono::nanoseconds;

inline constexpr timestamp latest_time{duration{std::int64_t{1} << 62}};

} // namespace weir
