/// A line on the terminal that shows how far long work has come.
#pragma once

#include <chrono>

#include <weir/actors/gauges.hpp>

namespace weir::app {

class progress_line {
public:
  /// Shows nothing unless standard error is a terminal and `wanted`.
  explicit progress_line(bool wanted);
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void show(const pipeline_gauges& gauges);
  void clear();

private:
  using clock = std::chrono::steady_clock;

  bool enabled_;
  bool shown_ = false;
  clock::time_point started_ = clock::now();
};

} // namespace weir::app
