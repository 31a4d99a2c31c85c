/// Deadlines by number, so that one timer is enough for all of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace weir {

/// At most one deadline for each number.
class deadline_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Replaces an earlier deadline of the same number.
  void set(std::uint64_t number, time_point when) {
    cancel(number);
    by_number_.emplace(number, by_time_.emplace(when, number));
  }

  void cancel(std::uint64_t number) {
    const auto i = by_number_.find(number);
    if (i == by_number_.end()) return;
    by_time_.erase(i->second);
    by_number_.erase(i);
  }

  std::optional<time_point> earliest() const {
    if (by_time_.empty()) return std::nullopt;
    return by_time_.begin()->first;
  }

  /// Takes out those whose time has come, the earliest first.
  std::vector<std::uint64_t> take_expired(time_point now) {
    std::vector<std::uint64_t> numbers;
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      numbers.push_back(by_time_.begin()->second);
      cancel(numbers.back());
    }
    return numbers;
  }

private:
  using order = std::multimap<time_point, std::uint64_t>;

  order by_time_;
  std::unordered_map<std::uint64_t, order::iterator> by_number_;
};

} // namespace weir
