#include <weir/tests/bench/traffic.hpp>

#include <algorithm>
#include <tuple>
#include <vector>

namespace weir::bench {

namespace {

/// A scenario's next packet. Equal times keep the order in which they were found.
struct event {
  timestamp time;
  std::uint64_t order;
  std::unique_ptr<scenario> who;

  bool later_than(const event& o) const noexcept {
    return std::tie(time, order) > std::tie(o.time, o.order);
  }
};

/// A heap of scenarios by time; std::priority_queue gives out no move-only elements.
class timeline {
public:
  bool empty() const noexcept { return events_.empty(); }

  void push(std::unique_ptr<scenario> who, timestamp time) {
    events_.push_back({time, order_++, std::move(who)});
    std::push_heap(events_.begin(), events_.end(), later);
  }

  event pop() {
    std::pop_heap(events_.begin(), events_.end(), later);
    auto first = std::move(events_.back());
    events_.pop_back();
    return first;
  }

private:
  static bool later(const event& a, const event& b) noexcept { return a.later_than(b); }

  std::vector<event> events_;
  std::uint64_t order_ = 0;
};

} // namespace

void run_side_by_side(std::size_t at_a_time, const next_scenario& next, capture& out) {
  // Those that begin together are spread over this much time.
  constexpr auto spread = std::chrono::milliseconds{100};
  timeline events;
  const auto start_another = [&](timestamp time) {
    auto who = next(time);
    if (who && who->advance(time)) events.push(std::move(who), time);
  };
  for (std::size_t i = 0; i < at_a_time; ++i)
    start_another(capture_start + i * duration{spread} / at_a_time);
  while (!events.empty()) {
    auto [time, order, who] = events.pop();
    who->link.write_next(out.packets, time);
    if (who->link.pending() || who->advance(time)) {
      const auto delay = who->link.next_delay();
      events.push(std::move(who), time + delay);
    } else {
      who->link.write_truth(out.truth);
      start_another(time);
    }
  }
}

} // namespace weir::bench
