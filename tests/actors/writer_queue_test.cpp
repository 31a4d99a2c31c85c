#include <weir/actors/writer.hpp>

#include <gtest/gtest.h>

namespace weir {
namespace {

using wake_up = writer_queue::wake_up;

TEST(writer_queue, wakes_for_a_whole_batch_and_otherwise_after_a_moment) {
  writer_queue queue;
  EXPECT_EQ(queue.add(finished_session{}), wake_up::later);
  for (std::size_t i = 2; i < writer_queue::batch; ++i)
    ASSERT_EQ(queue.add(finished_session{}), wake_up::none);
  EXPECT_EQ(queue.add(finished_session{}), wake_up::now);
  EXPECT_EQ(queue.take(false).size(), writer_queue::batch);
}

TEST(writer_queue, sets_one_timer_at_a_time) {
  writer_queue queue;
  EXPECT_EQ(queue.add(finished_session{}), wake_up::later);
  queue.take(false);
  EXPECT_EQ(queue.add(finished_session{}), wake_up::none) << "the timer is still on its way";
  EXPECT_EQ(queue.take(true).size(), 1u);
  EXPECT_EQ(queue.add(finished_session{}), wake_up::later);
}

TEST(writer_queue, wakes_at_once_for_large_pieces_and_keeps_the_order) {
  writer_queue queue;
  EXPECT_EQ(queue.add(writer_queue::piece{7, side::client, {}}), wake_up::now);
  queue.add(finished_session{});
  const auto jobs = queue.take(false);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<writer_queue::piece>(jobs[0]));
  EXPECT_TRUE(std::holds_alternative<finished_session>(jobs[1]));
}

} // namespace
} // namespace weir
