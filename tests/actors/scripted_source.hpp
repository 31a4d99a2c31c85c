/// A packet source that a test writes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <weir/net/packet_source.hpp>
#include <weir/tests/support/frames.hpp>

namespace weir::test {

/// Gives one list of frames a block; `before` is called on the capture's thread before each, and
/// may throw.
class scripted_source : public packet_source {
public:
  using hook = std::function<void(std::size_t block)>;

  explicit scripted_source(std::vector<frames> blocks, hook before = {})
      : blocks_(std::move(blocks)), before_(std::move(before)) {}

  result<status> fill(packet_block& block) override {
    if (before_) before_(next_);
    if (next_ == blocks_.size()) return status::end;
    for (const auto& f : blocks_[next_])
      add_packet(block, f, {.time = at(std::chrono::microseconds{++clock_})});
    block.now = at(std::chrono::microseconds{clock_});
    ++next_;
    return status::more;
  }

private:
  std::vector<frames> blocks_;
  hook before_;
  std::size_t next_ = 0;
  std::int64_t clock_ = 0;
};

} // namespace weir::test
