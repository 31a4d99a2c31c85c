/// IP fragments put back together: IPv4 (RFC 791 3.2) and IPv6 (RFC 8200 4.5).
///
/// Overlaps: of IPv4 fragments the first copy of each byte wins, which is what every receiver gives
/// where a sender repeats itself; a fragment that contradicts the datagram's end is ignored. An
/// IPv6 datagram with overlapping fragments is discarded with all that still comes of it (RFC 5722
/// 3), except for copies of what is already there (RFC 8200 4.5).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <list>
#include <memory>
#include <type_traits>

#include <tsl/robin_map.h>

#include <weir/net/address.hpp>
#include <weir/net/bytes.hpp>
#include <weir/net/memory_budget.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// Which datagram a fragment belongs to. Plain bytes without padding.
struct fragment_key {
  std::array<std::uint8_t, 16> source{};
  std::array<std::uint8_t, 16> destination{};
  std::uint32_t id = 0;
  /// As in `flow_key`: equal addresses in different networks are different hosts.
  std::uint32_t context = 0;
  ip_family family = ip_family::v4;
  /// IPv4's protocol; zero for IPv6, where the first fragment's header decides (RFC 8200 4.5).
  std::uint8_t protocol = 0;
  std::uint16_t zero = 0;

  bool operator==(const fragment_key&) const = default;
};
static_assert(std::has_unique_object_representations_v<fragment_key>);

struct fragment {
  fragment_key key;
  /// The protocol of the datagram's payload, as this fragment says.
  std::uint8_t protocol = 0;
  /// Where its bytes belong in the datagram's payload; a multiple of eight.
  std::uint32_t offset = 0;
  /// False for the datagram's last fragment.
  bool more = false;
  /// Bytes were lost to a snapshot length: the datagram cannot be completed.
  bool cut = false;
  bytes_view payload;
  timestamp time{};
};

/// The payload of a reassembled datagram.
struct datagram {
  std::unique_ptr<std::byte[]> bytes;
  std::size_t size = 0;
  std::uint8_t protocol = 0;
};

struct fragment_limits {
  /// Time of packets after a datagram's first fragment when it is given up.
  duration timeout = std::chrono::seconds{30};
  /// Memory for incomplete datagrams with their bookkeeping, and their number; the oldest go first.
  std::size_t max_bytes = 16 << 20;
  std::size_t max_datagrams = 16384;
};

struct fragment_counters {
  std::uint64_t reassembled = 0;
  /// Timed out, evicted, discarded because of overlaps, or with a fragment cut by a snapshot
  /// length.
  std::uint64_t given_up = 0;
  /// Fragments that repeat bytes of their datagram without being an exact copy, or contradict its
  /// end.
  std::uint64_t overlapping = 0;
};

class fragment_table {
public:
  enum class status : std::uint8_t {
    /// Kept, or of no use: the datagram is not complete.
    pending,
    complete,
    /// It contradicts itself: empty, longer than a datagram can be, or of a size that only a last
    /// fragment may have.
    malformed,
  };

  /// Longest payload of a reassembled datagram: the range of IP's length fields.
  static constexpr std::size_t max_size = 65535;

  fragment_table(fragment_limits limits, memory_budget& budget);
  ~fragment_table();

  fragment_table(const fragment_table&) = delete;
  fragment_table& operator=(const fragment_table&) = delete;

  /// Takes one fragment; `completed` is set where the status says `complete`. Costs time in the
  /// fragment's size only, whatever came before.
  status add(const fragment& f, datagram& completed);

  const fragment_counters& counters() const noexcept { return counters_; }

  /// Datagrams that wait for more fragments.
  std::size_t pending() const noexcept { return entries_.size() - discarded_; }
  /// What they and the discarded ones are charged with.
  std::size_t bytes() const noexcept { return bytes_; }

private:
  static constexpr std::size_t unit = 8;
  static constexpr std::size_t page_units = 256;
  static constexpr std::size_t page_size = page_units * unit;
  static constexpr std::size_t max_pages = (max_size + page_size) / page_size;

  /// Part of a payload, so that memory follows what was sent, not the offsets that were claimed.
  struct page {
    std::bitset<page_units> present;
    std::array<std::byte, page_size> bytes;
  };

  struct entry {
    fragment_key key;
    timestamp started{};
    std::array<std::unique_ptr<page>, max_pages> pages;
    std::uint32_t units_present = 0;
    /// End of the fragment that reaches furthest, and whether that is the datagram's end.
    std::uint32_t end = 0;
    bool end_known = false;
    /// It will never complete; later fragments of it are ignored.
    bool discarded = false;
    std::uint8_t protocol = 0;
  };

  using entry_list = std::list<entry>;
  using iterator = entry_list::iterator;

  struct key_hash {
    std::uint64_t seed;
    std::size_t operator()(const fragment_key& key) const noexcept;
  };

  /// Where a fragment's bytes went: new ones, repeated ones, repeated ones of another value.
  struct copy_result {
    bool fresh = false;
    bool repeated = false;
    bool conflicting = false;
  };

  bool expired(const entry& e, timestamp now) const noexcept;
  iterator find_or_start(const fragment& f);
  bool make_room(std::size_t needed, iterator keep);
  bool add_pages(iterator at, std::uint32_t begin, std::uint32_t end);
  bool contradicts_end(const entry& e, const fragment& f) const noexcept;
  copy_result copy(entry& e, const fragment& f) noexcept;
  void copy_into(page& p, std::size_t first, bytes_view from, copy_result& result) noexcept;
  datagram gather(const entry& e) const;
  void discard(entry& e) noexcept;
  void drop_pages(entry& e) noexcept;
  void remove(iterator at) noexcept;
  void give_up(iterator at) noexcept;
  void charge(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept;

  /// What an entry costs without pages: itself, its list node, its place in the hash table.
  static constexpr std::size_t entry_cost =
      sizeof(entry) + 2 * sizeof(void*) + 4 * (sizeof(fragment_key) + 3 * sizeof(void*));

  fragment_limits limits_;
  memory_budget& budget_;
  /// In the order of their first fragments.
  entry_list entries_;
  tsl::robin_map<fragment_key, iterator, key_hash> index_;
  std::size_t bytes_ = 0;
  /// Entries kept only to ignore what still comes of them.
  std::size_t discarded_ = 0;
  fragment_counters counters_;
};

} // namespace weir
