#include <weir/net/tcp/delivered_history.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include <weir/net/tcp/differences.hpp>

namespace weir {

namespace {

constexpr std::size_t smallest = 256;

/// Calls f(offset within the range, index into the ring, length) for each of the at most two
/// straight parts of `length` positions in a ring of `capacity` bytes, a power of two.
template<class F>
void for_each_part(std::uint64_t position, std::size_t length, std::size_t capacity, F f) {
  const auto at = static_cast<std::size_t>(position & (capacity - 1));
  const auto first = std::min(length, capacity - at);
  f(std::size_t{0}, at, first);
  if (first < length) f(first, std::size_t{0}, length - first);
}

} // namespace

void delivered_history::append(std::uint64_t position, bytes_view bytes) {
  if (bytes.empty()) return;
  if (position != end_) begin_ = end_ = position;
  const auto wanted = static_cast<std::size_t>(end_ - begin_) + bytes.size();
  if (wanted > ring_.capacity() && ring_.capacity() < limit) grow(wanted);
  const auto capacity = ring_.capacity();
  const auto tail = bytes.last(std::min(bytes.size(), capacity));
  end_ += bytes.size();
  begin_ = std::max(begin_, end_ - std::min<std::uint64_t>(end_, capacity));
  for_each_part(end_ - tail.size(), tail.size(), capacity,
                [&](std::size_t from, std::size_t to, std::size_t n) {
                  std::memcpy(ring_.data() + to, tail.data() + from, n);
                });
}

std::uint64_t delivered_history::conflicts(std::uint64_t position,
                                           bytes_view bytes) const noexcept {
  const auto from = std::max(position, begin_);
  const auto to = std::min(position + bytes.size(), end_);
  if (from >= to) return 0;
  const auto* again = bytes.data() + (from - position);
  std::uint64_t count = 0;
  for_each_part(from, static_cast<std::size_t>(to - from), ring_.capacity(),
                [&](std::size_t at, std::size_t in_ring, std::size_t n) {
                  count += count_differences(ring_.view().data() + in_ring, again + at, n);
                });
  return count;
}

void delivered_history::forget() noexcept {
  ring_ = {};
  begin_ = end_ = 0;
}

void delivered_history::grow(std::size_t wanted) {
  charged_buffer larger{*budget_,
                        wanted < limit ? std::max(std::bit_ceil(wanted), smallest) : limit};
  const auto copy = [&](std::uint64_t position, const std::byte* bytes, std::size_t length) {
    for_each_part(position, length, larger.capacity(),
                  [&](std::size_t from, std::size_t to, std::size_t n) {
                    std::memcpy(larger.data() + to, bytes + from, n);
                  });
  };
  if (begin_ != end_)
    for_each_part(begin_, static_cast<std::size_t>(end_ - begin_), ring_.capacity(),
                  [&](std::size_t offset, std::size_t in_ring, std::size_t n) {
                    copy(begin_ + offset, ring_.data() + in_ring, n);
                  });
  ring_ = std::move(larger);
}

} // namespace weir
