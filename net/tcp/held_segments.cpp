#include <weir/net/tcp/held_segments.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include <weir/net/tcp/differences.hpp>

namespace weir {

held_segments::outcome held_segments::insert(std::uint64_t begin, bytes_view captured,
                                             std::uint32_t length, timestamp time,
                                             overlap_policy policy) {
  outcome result;
  const auto end = begin + captured.size();
  const auto bytes_between = [&](std::uint64_t from, std::uint64_t to) {
    return captured.subspan(static_cast<std::size_t>(from - begin),
                            static_cast<std::size_t>(to - from));
  };
  auto at = begin;
  auto next = first_ending_after(begin);
  while (at < end) {
    const auto free_until = next == pieces_.end() ? end : std::min(next->first, end);
    if (at < free_until) {
      store(at, bytes_between(at, free_until), time);
      result.stored += free_until - at;
      at = free_until;
      continue;
    }
    const auto shared_until = std::min(next->first + next->second.length, end);
    const auto fresh = bytes_between(at, shared_until);
    if (next->second.lost()) {
      next = carve_lost(next, at, shared_until);
      store(at, fresh, time);
      result.stored += fresh.size();
    } else {
      auto* held = next->second.bytes.get() + (at - next->first);
      result.duplicate += fresh.size();
      result.conflicting += count_differences(held, fresh.data(), fresh.size());
      if (policy == overlap_policy::last) std::memcpy(held, fresh.data(), fresh.size());
      ++next;
    }
    at = shared_until;
  }
  insert_lost(end, begin + std::max<std::uint64_t>(length, captured.size()), time);
  return result;
}

std::uint64_t held_segments::end() const noexcept {
  const auto& [begin, last] = *pieces_.rbegin();
  return begin + last.length;
}

held_segments::positioned_piece held_segments::take_front() noexcept {
  const auto first = pieces_.begin();
  positioned_piece taken{first->first, std::move(first->second)};
  pieces_.erase(first);
  const auto size = taken.content.view().size();
  bytes_ -= size;
  budget_->release(size + overhead);
  return taken;
}

std::optional<std::uint64_t> held_segments::find_run(std::size_t cost) const noexcept {
  std::uint64_t run_begin = 0;
  std::uint64_t run_end = 0;
  std::size_t run_cost = 0;
  for (const auto& [begin, content] : pieces_) {
    if (begin != run_end) {
      run_begin = begin;
      run_cost = 0;
    }
    run_end = begin + content.length;
    run_cost += content.view().size() + overhead;
    if (run_cost >= cost) return run_begin;
  }
  return std::nullopt;
}

std::uint64_t held_segments::clear() noexcept {
  if (!pieces_.empty()) budget_->release(cost());
  pieces_.clear();
  return std::exchange(bytes_, 0);
}

held_segments::map::iterator held_segments::first_ending_after(std::uint64_t position) {
  const auto after = pieces_.upper_bound(position);
  if (after == pieces_.begin()) return after;
  const auto before = std::prev(after);
  return before->first + before->second.length > position ? before : after;
}

void held_segments::store(std::uint64_t begin, bytes_view bytes, timestamp time) {
  piece fresh{std::unique_ptr<std::byte[]>{new std::byte[bytes.size()]},
              static_cast<std::uint32_t>(bytes.size()), time};
  std::memcpy(fresh.bytes.get(), bytes.data(), bytes.size());
  pieces_.emplace(begin, std::move(fresh));
  bytes_ += bytes.size();
  budget_->charge(bytes.size() + overhead);
}

void held_segments::store_lost(std::uint64_t begin, std::uint64_t end, timestamp time) {
  if (begin == end) return;
  pieces_.emplace(begin, piece{nullptr, static_cast<std::uint32_t>(end - begin), time});
  budget_->charge(overhead);
}

void held_segments::insert_lost(std::uint64_t begin, std::uint64_t end, timestamp time) {
  if (begin == end) return;
  auto next = first_ending_after(begin);
  while (begin < end) {
    const auto free_until = next == pieces_.end() ? end : std::min(next->first, end);
    if (begin < free_until) store_lost(begin, free_until, time);
    if (next == pieces_.end()) return;
    begin = next->first + next->second.length;
    ++next;
  }
}

/// Takes [begin, end) out of a lost range that contains it; returns the first piece after that.
held_segments::map::iterator held_segments::carve_lost(map::iterator at, std::uint64_t begin,
                                                       std::uint64_t end) {
  const auto lost_begin = at->first;
  const auto lost_end = lost_begin + at->second.length;
  const auto time = at->second.time;
  const auto after = pieces_.erase(at);
  budget_->release(overhead);
  store_lost(lost_begin, begin, time);
  store_lost(end, lost_end, time);
  return end < lost_end ? std::prev(after) : after;
}

} // namespace weir
