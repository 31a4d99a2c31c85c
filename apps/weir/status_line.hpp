/// One line that tells how the living system does.
#pragma once

#include <chrono>
#include <string>

#include <weir/actors/pipeline.hpp>

namespace weir::app {

/// `status: 1 capture, 1 dispatcher, 2 writers, 812 sessions; …`
std::string status_text(const pipeline_status& status);

/// When to print it: each `interval`; zero: never.
class status_timer {
public:
  explicit status_timer(std::chrono::nanoseconds interval) : interval_(interval) {}

  bool due();

private:
  using clock = std::chrono::steady_clock;

  std::chrono::nanoseconds interval_;
  clock::time_point last_ = clock::now();
};

} // namespace weir::app
