/// The parts of a supervisor that are no actors.
#include <gtest/gtest.h>

#include <weir/actors/deadline_queue.hpp>
#include <weir/actors/restart_intensity.hpp>
#include <weir/actors/supervisor_error.hpp>
#include <weir/actors/supervisor_event.hpp>

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr restart_intensity::time_point at(std::chrono::nanoseconds since_start) {
  return restart_intensity::time_point{since_start};
}

TEST(restart_intensity, allows_as_many_as_its_limit_within_the_period) {
  restart_intensity intensity{2, 10s};
  EXPECT_TRUE(intensity.allow(at(0s)));
  EXPECT_TRUE(intensity.allow(at(1s)));
  EXPECT_FALSE(intensity.allow(at(2s)));
}

TEST(restart_intensity, looks_at_a_window_that_moves) {
  restart_intensity intensity{2, 10s};
  EXPECT_TRUE(intensity.allow(at(0s)));
  EXPECT_TRUE(intensity.allow(at(6s)));
  EXPECT_TRUE(intensity.allow(at(10s + 1ns))) << "the first is too old by now";
  EXPECT_FALSE(intensity.allow(at(16s))) << "the second is just not";
}

TEST(restart_intensity, of_zero_allows_nothing) {
  restart_intensity intensity{0, 10s};
  EXPECT_FALSE(intensity.allow(at(0s)));
  EXPECT_FALSE(intensity.allow(at(1h)));
}

TEST(deadline_queue, gives_what_has_expired_earliest_first) {
  deadline_queue deadlines;
  deadlines.set(1, at(3s));
  deadlines.set(2, at(1s));
  deadlines.set(3, at(2s));
  EXPECT_EQ(deadlines.earliest(), at(1s));
  EXPECT_EQ(deadlines.take_expired(at(2s)), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(deadlines.earliest(), at(3s));
  EXPECT_TRUE(deadlines.take_expired(at(3s) - 1ns).empty());
}

TEST(deadline_queue, has_one_deadline_for_a_number) {
  deadline_queue deadlines;
  deadlines.set(1, at(1s));
  deadlines.set(1, at(5s));
  EXPECT_EQ(deadlines.earliest(), at(5s));
  deadlines.cancel(1);
  deadlines.cancel(2);
  EXPECT_EQ(deadlines.earliest(), std::nullopt);
  EXPECT_TRUE(deadlines.take_expired(at(1h)).empty());
}

TEST(supervisor_error, is_comparable_and_has_a_text) {
  const caf::error e = make_error(supervisor_errc::start_failed, "no such file");
  EXPECT_EQ(e, supervisor_errc::start_failed);
  EXPECT_FALSE(e == supervisor_errc::not_found);
  EXPECT_EQ(reason_text(e), "start failed: no such file");
  EXPECT_EQ(reason_text(supervisor_errc::not_found), "no such child");
  EXPECT_EQ(reason_text({}), "normal");
  EXPECT_EQ(reason_text(caf::exit_reason::user_shutdown), "user_shutdown");
  EXPECT_EQ(reason_text(caf::sec::request_timeout), "request_timeout");
}

TEST(supervisor_error, tells_ends_in_order_from_failures) {
  EXPECT_TRUE(ended_in_order({}));
  EXPECT_TRUE(ended_in_order(caf::exit_reason::normal));
  EXPECT_TRUE(ended_in_order(caf::exit_reason::user_shutdown));
  EXPECT_FALSE(ended_in_order(caf::exit_reason::kill));
  EXPECT_FALSE(ended_in_order(supervisor_errc::too_many_restarts));
}

TEST(supervisor_event, is_a_line_about_the_child_or_the_supervisor) {
  using kind = supervisor_event::kind;
  supervisor_event event{kind::restarted, "root/writers", "0", {}, {}, 3};
  EXPECT_EQ(to_string(event), "root/writers/0 restarted (3)");
  event.what = kind::ended;
  event.reason = caf::sec::runtime_error;
  EXPECT_EQ(to_string(event), "root/writers/0 ended (runtime_error)");
  event.what = kind::finished;
  event.child.clear();
  EXPECT_EQ(to_string(event), "root/writers finished (runtime_error)");
}

} // namespace
} // namespace weir
