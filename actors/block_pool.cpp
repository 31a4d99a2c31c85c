#include <weir/actors/block_pool.hpp>

namespace weir {

void block_ref::drop() noexcept {
  if (slot_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::unique_ptr<slot> last{slot_};
  const auto pool = std::move(last->pool);
  pool->put_back(std::move(last));
}

std::shared_ptr<block_pool> block_pool::make(std::size_t max_blocks, std::size_t block_capacity,
                                             std::shared_ptr<memory_budget> budget) {
  return std::shared_ptr<block_pool>{new block_pool(max_blocks, block_capacity, std::move(budget))};
}

block_pool::block_pool(std::size_t max_blocks, std::size_t block_capacity,
                       std::shared_ptr<memory_budget> budget)
    : max_blocks_(max_blocks), block_capacity_(block_capacity), budget_(std::move(budget)) {
  free_.reserve(max_blocks);
}

block_pool::~block_pool() { budget_->release(made_ * cost()); }

block_ref block_pool::acquire(std::function<void()> when_available) {
  std::unique_ptr<block_ref::slot> slot;
  {
    const std::lock_guard lock{mutex_};
    if (!free_.empty()) {
      slot = std::move(free_.back());
      free_.pop_back();
    } else if (made_ < max_blocks_) {
      slot = std::make_unique<block_ref::slot>(block_capacity_);
      budget_->charge(cost());
      ++made_;
    } else {
      waiting_.push_back(std::move(when_available));
      return {};
    }
  }
  in_use_.fetch_add(1, std::memory_order_relaxed);
  slot->pool = shared_from_this();
  slot->references.store(1, std::memory_order_relaxed);
  return block_ref{slot.release()};
}

void block_pool::put_back(std::unique_ptr<block_ref::slot> slot) noexcept {
  std::vector<std::function<void()>> waiting;
  slot->block.clear();
  in_use_.fetch_sub(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock{mutex_};
    free_.push_back(std::move(slot));
    waiting.swap(waiting_);
  }
  for (const auto& notify : waiting)
    notify();
}

} // namespace weir
