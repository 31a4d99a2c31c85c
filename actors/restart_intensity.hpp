/// How often a supervisor may restart before it gives up.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace weir {

/// OTP's maximum restart intensity: more than `limit` restarts within `period` are too many. A
/// restart that is as old as the period is still within it, as in OTP.
class restart_intensity {
public:
  using time_point = std::chrono::steady_clock::time_point;

  restart_intensity(std::uint32_t limit, std::chrono::nanoseconds period)
      : limit_(limit), period_(period) {}

  /// Notes a restart at `now`; false if it is one too many. Times never go back.
  bool allow(time_point now) {
    while (!times_.empty() && now - times_.front() > period_)
      times_.pop_front();
    times_.push_back(now);
    return times_.size() <= limit_;
  }

private:
  std::uint32_t limit_;
  std::chrono::nanoseconds period_;
  std::deque<time_point> times_;
};

} // namespace weir
