/// Segments that wait for the bytes before them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include <weir/net/bytes.hpp>
#include <weir/net/memory_budget.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// Which copy counts where two segments carry the same sequence numbers. `last` replaces only what
/// has not been delivered yet: delivered bytes were read by the application too.
enum class overlap_policy : std::uint8_t { first, last };

/// Ordered by position in the stream, no two overlapping: which copy of a byte counts is settled
/// when it arrives. Bytes are copied, and charged to the budget together with their bookkeeping.
/// Every operation is logarithmic in the pieces held, plus linear in those that the new bytes
/// overlap.
class held_segments {
public:
  /// Bytes from one segment, or a range that a snapshot length cut off: known to be lost.
  struct piece {
    std::unique_ptr<std::byte[]> bytes;
    std::uint32_t length = 0;
    timestamp time{};

    bool lost() const noexcept { return bytes == nullptr; }
    bytes_view view() const noexcept { return {bytes.get(), lost() ? 0 : length}; }
  };

  struct positioned_piece {
    std::uint64_t begin;
    piece content;
  };

  /// What became of the captured bytes of an insertion; `conflicting` are among `duplicate`.
  struct outcome {
    std::uint64_t stored = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t conflicting = 0;
  };

  /// What a piece is charged on top of its bytes: its node, and two allocations' headers.
  static constexpr std::size_t overhead = 128;

  explicit held_segments(memory_budget& budget) noexcept : budget_(&budget) {}
  held_segments(const held_segments&) = delete;
  held_segments& operator=(const held_segments&) = delete;
  ~held_segments() { clear(); }

  /// A segment of `length` bytes on the wire, of which the first were captured. Captured bytes fill
  /// what was lost; what was lost takes no captured byte's place.
  outcome insert(std::uint64_t begin, bytes_view captured, std::uint32_t length, timestamp time,
                 overlap_policy policy);

  bool empty() const noexcept { return pieces_.empty(); }
  /// Only where there is a piece, as `end` and `first_time`.
  std::uint64_t begin() const noexcept { return pieces_.begin()->first; }
  std::uint64_t end() const noexcept;
  timestamp first_time() const noexcept { return pieces_.begin()->second.time; }

  std::size_t pieces() const noexcept { return pieces_.size(); }
  /// Captured bytes held.
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// Captured bytes and bookkeeping, as charged.
  std::size_t cost() const noexcept { return bytes_ + pieces_.size() * overhead; }

  /// Removes the first piece; only where there is one.
  positioned_piece take_front() noexcept;

  /// Begin of the first contiguous run that costs at least `cost`.
  std::optional<std::uint64_t> find_run(std::size_t cost) const noexcept;

  /// Returns how many captured bytes that were.
  std::uint64_t clear() noexcept;

private:
  using map = std::map<std::uint64_t, piece>;

  map::iterator first_ending_after(std::uint64_t position);
  void store(std::uint64_t begin, bytes_view bytes, timestamp time);
  void store_lost(std::uint64_t begin, std::uint64_t end, timestamp time);
  void insert_lost(std::uint64_t begin, std::uint64_t end, timestamp time);
  map::iterator carve_lost(map::iterator at, std::uint64_t begin, std::uint64_t end);

  memory_budget* budget_;
  map pieces_;
  std::size_t bytes_ = 0;
};

} // namespace weir
