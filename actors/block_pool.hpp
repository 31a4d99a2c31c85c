/// A bounded number of blocks, used again and again: the only backpressure of the pipeline. When
/// all are in use a file source waits, and a live source leaves packets in the kernel's ring.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <weir/net/memory_budget.hpp>
#include <weir/net/packet_block.hpp>

namespace weir {

class block_pool;

/// Shared ownership of a block in use; the last one to let go returns it to its pool. Who writes to
/// a block does so before sharing it, apart from a shard's dispatcher (see `block_shard`).
class block_ref {
public:
  block_ref() = default;
  block_ref(const block_ref& o) noexcept : slot_(o.slot_) { add_reference(); }
  block_ref(block_ref&& o) noexcept : slot_(std::exchange(o.slot_, nullptr)) {}
  block_ref& operator=(block_ref o) noexcept {
    std::swap(slot_, o.slot_);
    return *this;
  }
  ~block_ref() {
    if (slot_ != nullptr) drop();
  }

  explicit operator bool() const noexcept { return slot_ != nullptr; }
  packet_block& operator*() const noexcept;
  packet_block* operator->() const noexcept;

private:
  friend class block_pool;
  struct slot;
  explicit block_ref(slot* s) noexcept : slot_(s) {}
  void add_reference() const noexcept;
  void drop() noexcept;

  slot* slot_ = nullptr;
};

/// Thread-safe. Blocks keep their pool alive while they are in use.
class block_pool : public std::enable_shared_from_this<block_pool> {
public:
  /// Blocks are made when they are first needed, then charged to `budget` for good.
  static std::shared_ptr<block_pool> make(std::size_t max_blocks, std::size_t block_capacity,
                                          std::shared_ptr<memory_budget> budget);
  ~block_pool();

  /// An empty block, or an empty reference where all are in use. In that case `when_available` is
  /// called once, from the thread that returns the next block.
  block_ref acquire(std::function<void()> when_available);

  std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }
  std::size_t max_blocks() const noexcept { return max_blocks_; }

  /// What a block is charged with: its storage, and about as much again for what is known of its
  /// packets.
  std::size_t cost() const noexcept { return 2 * block_capacity_; }

private:
  friend class block_ref;
  block_pool(std::size_t max_blocks, std::size_t block_capacity,
             std::shared_ptr<memory_budget> budget);
  void put_back(std::unique_ptr<block_ref::slot> s) noexcept;

  const std::size_t max_blocks_;
  const std::size_t block_capacity_;
  std::shared_ptr<memory_budget> budget_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<block_ref::slot>> free_;
  std::vector<std::function<void()>> waiting_;
  std::size_t made_ = 0;
  std::atomic<std::size_t> in_use_{0};
};

struct block_ref::slot {
  explicit slot(std::size_t capacity) : block(capacity) {}

  packet_block block;
  std::atomic<std::uint32_t> references{0};
  std::shared_ptr<block_pool> pool;
};

inline packet_block& block_ref::operator*() const noexcept { return slot_->block; }
inline packet_block* block_ref::operator->() const noexcept { return &slot_->block; }

inline void block_ref::add_reference() const noexcept {
  if (slot_ != nullptr) slot_->references.fetch_add(1, std::memory_order_relaxed);
}

} // namespace weir
