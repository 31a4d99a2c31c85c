#include <weir/actors/block_pool.hpp>

#include <condition_variable>
#include <thread>

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(block_pool, lends_as_many_blocks_as_it_has) {
  const auto budget = std::make_shared<memory_budget>(1 << 30);
  const auto pool = block_pool::make(2, 0, budget);
  int notified = 0;
  auto a = pool->acquire([&] { ++notified; });
  auto b = pool->acquire([&] { ++notified; });
  ASSERT_TRUE(a);
  ASSERT_TRUE(b);
  EXPECT_EQ(pool->in_use(), 2u);
  EXPECT_FALSE(pool->acquire([&] { ++notified; }));
  EXPECT_EQ(notified, 0);
  a = {};
  EXPECT_EQ(notified, 1);
  EXPECT_TRUE(pool->acquire([&] { ++notified; }));
  EXPECT_EQ(notified, 1);
}

TEST(block_pool, takes_a_block_back_when_the_last_reference_is_gone_and_empties_it) {
  const auto budget = std::make_shared<memory_budget>(1 << 30);
  const auto pool = block_pool::make(1, 0, budget);
  auto a = pool->acquire([] {});
  a->packets.push_back({});
  auto copy = a;
  a = {};
  EXPECT_EQ(pool->in_use(), 1u);
  copy = {};
  EXPECT_EQ(pool->in_use(), 0u);
  EXPECT_TRUE(pool->acquire([] {})->packets.empty());
}

TEST(block_pool, charges_what_it_made_and_lives_as_long_as_its_blocks) {
  const auto budget = std::make_shared<memory_budget>(1 << 30);
  auto pool = block_pool::make(2, packet_block::max_packet, budget);
  auto block = pool->acquire([] {});
  pool.reset();
  EXPECT_EQ(budget->used(), 2 * packet_block::max_packet);
  block = {};
  EXPECT_EQ(budget->used(), 0u);
}

TEST(block_pool, bounds_what_is_in_flight_between_threads) {
  const auto budget = std::make_shared<memory_budget>(1 << 30);
  const auto pool = block_pool::make(4, 0, budget);
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<block_ref> mailbox;
  bool available = false;
  constexpr int rounds = 20000;

  std::jthread consumer{[&] {
    for (int taken = 0; taken < rounds;) {
      std::vector<block_ref> mine;
      {
        std::unique_lock lock{mutex};
        changed.wait(lock, [&] { return !mailbox.empty(); });
        mine.swap(mailbox);
      }
      EXPECT_LE(mine.size(), 4u);
      taken += static_cast<int>(mine.size());
    }
  }};
  for (int sent = 0; sent < rounds;) {
    auto block = pool->acquire([&] {
      const std::lock_guard lock{mutex};
      available = true;
      changed.notify_all();
    });
    std::unique_lock lock{mutex};
    if (!block) {
      changed.wait(lock, [&] { return available; });
      available = false;
      continue;
    }
    mailbox.push_back(std::move(block));
    ++sent;
    changed.notify_all();
  }
}

} // namespace
} // namespace weir
