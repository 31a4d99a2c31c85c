/// The last bytes that a stream delivered, to compare with what is sent again.
#pragma once

#include <cstdint>

#include <weir/net/bytes.hpp>
#include <weir/net/memory_budget.hpp>

namespace weir {

/// Whoever injects into a connection races the real sender: the forged segment is delivered, then
/// the real one comes as a seeming retransmission with other bytes. That shows only while the
/// delivered bytes are remembered. A ring of at most `limit` bytes that grows with the stream, so
/// that the many short ones pay little; charged to the budget.
class delivered_history {
public:
  static constexpr std::size_t limit = 8192;

  explicit delivered_history(memory_budget& budget) noexcept : budget_(&budget) {}

  /// Remembers bytes at a stream position. What does not follow on the last bytes starts anew.
  void append(std::uint64_t position, bytes_view bytes);

  /// How many of these bytes differ from those remembered; bytes not remembered do not count.
  std::uint64_t conflicts(std::uint64_t position, bytes_view bytes) const noexcept;

  /// Frees the memory.
  void forget() noexcept;

private:
  void grow(std::size_t wanted);

  memory_budget* budget_;
  charged_buffer ring_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

} // namespace weir
