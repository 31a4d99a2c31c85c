/// One budget for everything that grows with the traffic: blocks, out-of-order data, stream
/// buffers, writers' queues. It counts and tells; it never refuses: whoever admits new packets asks
/// first, so memory overshoots by what the admitted blocks can hold, and no more.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include <weir/net/bytes.hpp>

namespace weir {

/// All members may be called from any thread.
class memory_budget {
public:
  explicit memory_budget(std::size_t limit) noexcept : limit_(limit) {}

  memory_budget(const memory_budget&) = delete;
  memory_budget& operator=(const memory_budget&) = delete;

  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::size_t limit() const noexcept { return limit_; }
  bool exhausted() const noexcept { return used() >= limit_; }
  /// Below this there is room again for who waited.
  std::size_t relief_level() const noexcept { return limit_ / 4 * 3; }

  void charge(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }

  /// Calls the relief function where someone waits and use fell below the relief level.
  void release(std::size_t bytes) noexcept {
    // Sequentially consistent against wait_for_relief(): one of the two sees the other.
    const auto before = used_.fetch_sub(bytes);
    if (waiting_.load() && before - bytes < relief_level() && waiting_.exchange(false))
      on_relief_();
  }

  /// Set once, before any other thread uses the budget. Runs on whatever thread releases memory, so
  /// it should only send a message.
  void on_relief(std::function<void()> function) { on_relief_ = std::move(function); }

  /// Asks for one call of the relief function. False: there is room by now, no call will come.
  bool wait_for_relief() noexcept {
    waiting_.store(true);
    if (used_.load() >= relief_level()) return true;
    // Whoever wins the flag decides: us (there is room) or a release (the call is on its way).
    return !waiting_.exchange(false);
  }

private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<bool> waiting_{false};
  std::function<void()> on_relief_ = [] {};
};

/// Heap bytes that are charged to a budget from allocation to destruction. Move-only, no capacity
/// beyond `capacity()`; appending past it is the caller's error.
class charged_buffer {
public:
  charged_buffer() = default;
  charged_buffer(memory_budget& budget, std::size_t capacity)
      : budget_(&budget), bytes_(new std::byte[capacity]), capacity_(capacity) {
    budget.charge(capacity);
  }
  charged_buffer(charged_buffer&& o) noexcept
      : budget_(o.budget_),
        bytes_(std::move(o.bytes_)),
        size_(std::exchange(o.size_, 0)),
        capacity_(std::exchange(o.capacity_, 0)) {}
  charged_buffer& operator=(charged_buffer&& o) noexcept {
    charged_buffer moved{std::move(o)};
    swap(moved);
    return *this;
  }
  ~charged_buffer() {
    if (capacity_ != 0) budget_->release(capacity_);
  }

  void swap(charged_buffer& o) noexcept {
    std::swap(budget_, o.budget_);
    std::swap(bytes_, o.bytes_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t room() const noexcept { return capacity_ - size_; }
  bool empty() const noexcept { return size_ == 0; }
  bytes_view view() const noexcept { return {bytes_.get(), size_}; }
  std::byte* data() noexcept { return bytes_.get(); }

  void append(bytes_view bytes) noexcept {
    std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

private:
  memory_budget* budget_ = nullptr;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace weir
