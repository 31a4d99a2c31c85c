#include <weir/net/memory_budget.hpp>

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(memory_budget, counts_what_buffers_take) {
  memory_budget budget{1000};
  {
    charged_buffer a{budget, 600};
    EXPECT_EQ(budget.used(), 600u);
    EXPECT_FALSE(budget.exhausted());
    charged_buffer b{budget, 400};
    EXPECT_TRUE(budget.exhausted());
    b = std::move(a);
    EXPECT_EQ(budget.used(), 600u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(memory_budget, gives_relief_once_and_only_to_who_waits) {
  memory_budget budget{1000};
  int relieved = 0;
  budget.on_relief([&] { ++relieved; });
  budget.charge(1000);
  budget.release(1000);
  EXPECT_EQ(relieved, 0);
  budget.charge(1000);
  EXPECT_TRUE(budget.wait_for_relief());
  budget.release(200);
  EXPECT_EQ(relieved, 0) << "not before use is below three quarters";
  budget.release(100);
  EXPECT_EQ(relieved, 1);
  budget.release(100);
  EXPECT_EQ(relieved, 1);
}

TEST(memory_budget, does_not_make_wait_where_there_is_room) {
  memory_budget budget{1000};
  int relieved = 0;
  budget.on_relief([&] { ++relieved; });
  budget.charge(500);
  EXPECT_FALSE(budget.wait_for_relief());
  budget.release(500);
  EXPECT_EQ(relieved, 0);
}

/// Who waits is always woken, or told that there is room, whatever the other threads do.
TEST(memory_budget, loses_no_wake_up_between_threads) {
  memory_budget budget{1000};
  std::atomic<int> relieved{0};
  budget.on_relief([&] { ++relieved; });
  for (int round = 0; round < 2000; ++round) {
    budget.charge(1000);
    const int before = relieved;
    std::thread release{[&] { budget.release(1000); }};
    const bool waiting = budget.wait_for_relief();
    release.join();
    ASSERT_EQ(relieved - before, waiting ? 1 : 0) << round;
  }
}

} // namespace
} // namespace weir
