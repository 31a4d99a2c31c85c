#include <weir/net/decode/fragments.hpp>

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/net/flow.hpp>

namespace weir {

std::size_t fragment_table::key_hash::operator()(const fragment_key& key) const noexcept {
  return XXH3_64bits_withSeed(&key, sizeof key, seed);
}

fragment_table::fragment_table(fragment_limits limits, memory_budget& budget)
    : limits_(limits), budget_(budget), index_(0, key_hash{secret_seed()}) {}

fragment_table::~fragment_table() {
  if (bytes_ != 0) budget_.release(bytes_);
}

fragment_table::status fragment_table::add(const fragment& f, datagram& completed) {
  const auto size = f.payload.size();
  if ((size == 0 && !f.cut) || f.offset % unit != 0 || f.offset + size > max_size)
    return status::malformed;
  if (f.more && !f.cut && size % unit != 0) return status::malformed;

  // The oldest time out here, and only here: entries are in the order of their beginning.
  while (!entries_.empty() && expired(entries_.front(), f.time))
    give_up(entries_.begin());

  const auto at = find_or_start(f);
  if (at == entries_.end() || at->discarded) return status::pending;
  auto& e = *at;
  if (f.cut) {
    discard(e);
    return status::pending;
  }
  if (contradicts_end(e, f)) {
    ++counters_.overlapping;
    if (f.key.family == ip_family::v6) discard(e);
    return status::pending;
  }
  const auto end = f.offset + static_cast<std::uint32_t>(size);
  if (!add_pages(at, f.offset, end)) return status::pending;
  e.end = std::max(e.end, end);
  e.end_known = e.end_known || !f.more;
  const auto copied = copy(e, f);
  if (f.offset == 0 && copied.fresh) e.protocol = f.protocol;
  if (copied.conflicting || (copied.fresh && copied.repeated)) {
    ++counters_.overlapping;
    if (f.key.family == ip_family::v6) {
      discard(e);
      return status::pending;
    }
  }
  if (!e.end_known || e.units_present != (e.end + unit - 1) / unit) return status::pending;
  completed = gather(e);
  ++counters_.reassembled;
  remove(at);
  return status::complete;
}

/// Time may go backwards (merged captures, a set clock): what seems to begin long after `now` is as
/// stale as what began long before.
bool fragment_table::expired(const entry& e, timestamp now) const noexcept {
  const auto age = now - e.started;
  return age > limits_.timeout || -age > limits_.timeout;
}

/// The fragment's datagram; `entries_.end()` where the limits leave no room for any.
fragment_table::iterator fragment_table::find_or_start(const fragment& f) {
  if (const auto found = index_.find(f.key); found != index_.end()) {
    if (!expired(*found->second, f.time)) return found->second;
    give_up(found->second);
  }
  if (!make_room(entry_cost, entries_.end())) return entries_.end();
  const auto at = entries_.emplace(entries_.end());
  at->key = f.key;
  at->started = f.time;
  index_.emplace(f.key, at);
  charge(entry_cost);
  return at;
}

/// Evicts the oldest until `needed` bytes fit. False where they do not, or where that took `keep`.
bool fragment_table::make_room(std::size_t needed, iterator keep) {
  const auto full = [&] {
    return bytes_ + needed > limits_.max_bytes
           || (keep == entries_.end() && entries_.size() >= limits_.max_datagrams);
  };
  while (full() && !entries_.empty()) {
    const auto oldest = entries_.begin();
    const auto kept = oldest == keep;
    give_up(oldest);
    if (kept) return false;
  }
  return !full();
}

/// Makes the pages that [begin, end) touches.
bool fragment_table::add_pages(iterator at, std::uint32_t begin, std::uint32_t end) {
  const auto first = begin / page_size;
  const auto last = (end - 1) / page_size;
  std::size_t missing = 0;
  for (auto i = first; i <= last; ++i)
    missing += at->pages[i] ? 0 : sizeof(page);
  if (missing == 0) return true;
  if (!make_room(missing, at)) return false;
  for (auto i = first; i <= last; ++i)
    if (!at->pages[i]) at->pages[i].reset(new page);
  charge(missing);
  return true;
}

bool fragment_table::contradicts_end(const entry& e, const fragment& f) const noexcept {
  const auto end = f.offset + f.payload.size();
  if (e.end_known) return f.more ? end > e.end : end != e.end;
  return !f.more && end < e.end;
}

/// Copies the units that are not there yet.
fragment_table::copy_result fragment_table::copy(entry& e, const fragment& f) noexcept {
  copy_result result;
  auto rest = f.payload;
  std::size_t at = f.offset;
  while (!rest.empty()) {
    const auto in_page = at % page_size;
    const auto part = rest.first(std::min(rest.size(), page_size - in_page));
    auto& p = *e.pages[at / page_size];
    const auto before = p.present.count();
    copy_into(p, in_page / unit, part, result);
    e.units_present += static_cast<std::uint32_t>(p.present.count() - before);
    at += part.size();
    rest = rest.subspan(part.size());
  }
  return result;
}

/// Only the datagram's last unit can be shorter than eight bytes, because nothing reaches beyond
/// the end once it is known.
void fragment_table::copy_into(page& p, std::size_t first, bytes_view from,
                               copy_result& result) noexcept {
  const auto units = (from.size() + unit - 1) / unit;
  const auto range = (~std::bitset<page_units>{} >> (page_units - units)) << first;
  auto* const to = p.bytes.data() + first * unit;
  if ((p.present & range).none()) {
    std::memcpy(to, from.data(), from.size());
    result.fresh = true;
  } else {
    for (std::size_t u = 0; u < units; ++u) {
      const auto part = from.subspan(u * unit, std::min(unit, from.size() - u * unit));
      if (p.present.test(first + u)) {
        result.repeated = true;
        result.conflicting =
            result.conflicting || std::memcmp(to + u * unit, part.data(), part.size()) != 0;
      } else {
        std::memcpy(to + u * unit, part.data(), part.size());
        result.fresh = true;
      }
    }
  }
  p.present |= range;
}

datagram fragment_table::gather(const entry& e) const {
  datagram d{.bytes = {}, .size = e.end, .protocol = e.protocol};
  d.bytes.reset(new std::byte[e.end]);
  for (std::size_t at = 0; at < e.end; at += page_size)
    std::memcpy(d.bytes.get() + at, e.pages[at / page_size]->bytes.data(),
                std::min(page_size, e.end - at));
  return d;
}

void fragment_table::discard(entry& e) noexcept {
  e.discarded = true;
  ++discarded_;
  ++counters_.given_up;
  drop_pages(e);
}

void fragment_table::drop_pages(entry& e) noexcept {
  for (auto& p : e.pages) {
    if (!p) continue;
    p.reset();
    release(sizeof(page));
  }
}

void fragment_table::remove(iterator at) noexcept {
  drop_pages(*at);
  if (at->discarded) --discarded_;
  release(entry_cost);
  index_.erase(at->key);
  entries_.erase(at);
}

void fragment_table::give_up(iterator at) noexcept {
  // A discarded datagram was counted when it was discarded.
  if (!at->discarded) ++counters_.given_up;
  remove(at);
}

void fragment_table::charge(std::size_t bytes) noexcept {
  bytes_ += bytes;
  budget_.charge(bytes);
}

void fragment_table::release(std::size_t bytes) noexcept {
  bytes_ -= bytes;
  budget_.release(bytes);
}

} // namespace weir
