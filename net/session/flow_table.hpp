/// All flows of one dispatcher: which segments belong to which session, when a session starts, and
/// when it ends. Plain state without actors; the dispatcher actor is the observer.
///
/// A flow is an entry until it is established (the acknowledgement that completes a handshake, or
/// payload), so that a flood or a scan costs entries of a bounded table. Then it has a session,
/// until the connection is over or a limit or timeout ends it, and for a while it is remembered as
/// closed so that late segments open no new one. All times are those of the packets.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tsl/robin_map.h>

#include <weir/net/memory_budget.hpp>
#include <weir/net/packet_block.hpp>
#include <weir/net/session/session.hpp>
#include <weir/net/tcp/connection.hpp>

namespace weir {

struct flow_options {
  /// A session without packets for this long ends as `timeout`. The default is what NATs have to
  /// grant (RFC 5382 REQ-5): a little longer than keep-alives of a silent connection are apart.
  duration idle_timeout = std::chrono::minutes{124};
  /// One or both sides have sent FIN and nothing follows: ends as `closed`.
  duration closing_timeout = std::chrono::minutes{2};
  /// How long a connection that is over may still bring bytes that are missing.
  duration linger = std::chrono::seconds{5};
  /// How long SYNs without an answer are kept.
  duration half_open_timeout = std::chrono::seconds{60};
  /// How long a closed flow is remembered: two maximum segment lifetimes as real stacks have them.
  duration closed_timeout = std::chrono::seconds{60};
  /// Beyond these the longest idle entry goes first.
  std::size_t max_sessions = 1'000'000;
  std::size_t max_half_open = 65'536;
  std::size_t max_closed = 65'536;
  /// Payload of SYNs kept in half-open entries, in all.
  std::size_t max_syn_payload = 4 << 20;
  /// Whether payload without a handshake starts a session.
  bool midstream = true;
};

struct flow_counters {
  std::uint64_t segments = 0;
  std::uint64_t sessions = 0;
  std::uint64_t midstream = 0;
  std::array<std::uint64_t, session_state_count> ended{};
  /// Half-open entries that ended without a session.
  std::uint64_t refused = 0;
  std::uint64_t half_open_timeout = 0;
  std::uint64_t half_open_evicted = 0;
  /// The capture ended first, or another SYN took their place.
  std::uint64_t half_open_unfinished = 0;
  /// Segments of no session: RSTs and bare acknowledgements of unknown flows.
  std::uint64_t stray = 0;
  /// Segments that came after their connection was over.
  std::uint64_t late = 0;
  std::uint64_t late_bytes = 0;
  /// Forged or stale: outside of what a receiver accepts.
  std::uint64_t ignored = 0;
  /// Payload segments without a handshake where those are not wanted.
  std::uint64_t midstream_ignored = 0;
  /// SYN payload that was not kept.
  std::uint64_t syn_payload_dropped = 0;

  void add(const flow_counters& other) noexcept;
};

/// Told what happens. `flow` is a small number that stays the session's until `ended`.
class flow_observer {
public:
  virtual ~flow_observer() = default;
  virtual void started(std::uint32_t flow, session_start start) = 0;
  /// The session's segments of this block: `count` entries of the shard's `order` from `begin`.
  /// One call for each session and block, mostly, and none where `ended` brings them.
  virtual void arrived(std::uint32_t flow, std::uint32_t begin, std::uint32_t count) = 0;
  virtual void ended(std::uint32_t flow, std::uint32_t begin, std::uint32_t count,
                     const session_end& end) = 0;
  /// Memory is short, and this session has had data since it was last told.
  virtual void pressed(std::uint32_t flow) = 0;
  /// Memory is short in the middle of a block: a chance to call `press` and `evict`, and to wait.
  virtual void crowded() = 0;
};

class flow_table {
public:
  flow_table(const flow_options& options, flow_observer& observer, memory_budget& budget);
  ~flow_table();
  flow_table(const flow_table&) = delete;
  flow_table& operator=(const flow_table&) = delete;

  /// Takes the block's segments of one shard and tells the observer what they mean.
  void process(packet_block& block, std::size_t shard);

  /// The clock on a silent wire.
  void advance(timestamp now);

  /// The capture is over: ends all sessions as `open`.
  void finish();

  /// Whoever drives the table cannot go on: ends all sessions as `failed`, because of `why`.
  /// Segments that the observer was not told of yet are lost. May be called after `process` has
  /// thrown.
  void abandon(const std::string& why);

  /// Tells the longest idle sessions to hand on what they hold, until about `bytes` were asked for.
  /// Returns how many that were, as far as can be told from here.
  std::size_t press(std::size_t bytes);

  /// Ends the longest idle sessions as `evicted`, until about `bytes` are let go.
  void evict(std::size_t bytes);

  std::size_t sessions() const noexcept { return sessions_; }
  std::size_t half_open() const noexcept { return queue_of(queue_id::half_open).size; }
  std::size_t closed() const noexcept { return queue_of(queue_id::closed).size; }
  const flow_counters& counters() const noexcept { return counters_; }

  /// What a session costs besides its data: actor, accumulator, entry. To be charged to the budget
  /// by whoever holds the session, from `started` on: it takes longer to go than `ended` takes to
  /// say.
  static constexpr std::size_t session_overhead = 4096;

private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  enum class queue_id : std::uint8_t { half_open, open, closing, lingering, closed };
  static constexpr std::size_t queue_count = 5;

  struct syn_data {
    std::array<std::vector<std::byte>, 2> payload;
  };

  struct entry {
    explicit entry(const segment& opening)
        : link{opening}, key{opening.key}, hash{opening.flow_hash} {}

    connection link;
    flow_key key;
    std::uint64_t hash;
    timestamp first{};
    timestamp last{};
    /// When it entered `lingering` or `closed`; otherwise as `last`.
    timestamp since{};
    std::uint32_t previous = none;
    std::uint32_t following = none;
    /// Its segments in this block, linked by `links_`.
    std::uint32_t chain_first = none;
    std::uint32_t chain_last = none;
    std::uint32_t chain_count = 0;
    queue_id queue = queue_id::half_open;
    bool has_session = false;
    /// In `touched_`.
    bool touched = false;
    /// No longer in the map; to be freed when the block is done.
    bool detached = false;
    bool ending = false;
    session_state end_state = session_state::open;
    /// Payload handed to the session since it was last told to hand on.
    std::uint64_t buffered = 0;
    /// Payload that came since the connection is not orderly: some of it cannot be handed on.
    std::uint64_t unordered = 0;
    std::array<std::uint64_t, 2> out_of_window{};
    std::unique_ptr<syn_data> syn;
  };

  struct queue {
    std::uint32_t head = none;
    std::uint32_t tail = none;
    std::size_t size = 0;
  };

  struct key_hash {
    std::uint64_t seed;
    std::size_t operator()(const flow_key& key) const noexcept { return hash(key, seed); }
  };

  /// Entries never move, and the table of the slabs is small enough for the caches.
  static constexpr std::size_t slab_size = 1024;
  using slab = std::vector<entry>;

  entry& at(std::uint32_t flow) noexcept { return slabs_[flow / slab_size][flow % slab_size]; }
  queue& queue_of(queue_id id) noexcept { return queues_[static_cast<std::size_t>(id)]; }
  const queue& queue_of(queue_id id) const noexcept {
    return queues_[static_cast<std::size_t>(id)];
  }
  duration timeout_of(queue_id id) const noexcept;

  std::uint32_t create(const segment& s);
  void look_ahead(const std::vector<segment>& segments, std::size_t from);
  void take(const segment& s, std::uint32_t position);
  std::uint32_t find(const segment& s, std::uint32_t hint);
  std::uint32_t lookup(const segment& s, std::uint32_t hint);
  void keep_syn_payload(entry& e, const segment& s);
  void start(std::uint32_t flow, const segment* s);
  void update_queue(std::uint32_t flow);
  void end(std::uint32_t flow, session_state state);
  void retire(std::uint32_t flow, session_state state);
  void forget(std::uint32_t flow);
  void expire(timestamp now);
  void expire_one(std::uint32_t flow);
  void enforce_limits();
  void count_unfinished(const entry& e) noexcept;
  template<class Function>
  void end_all(Function state_of);
  /// Open sessions, the longest idle first, as long as `visit` says so; it may end them.
  template<class Function>
  void from_idlest(Function visit);
  void touch(std::uint32_t flow);
  void make_room(block_shard& shard);
  void flush(block_shard* shard);
  void release(std::uint32_t flow);
  void enqueue(std::uint32_t flow, queue_id id);
  void unlink(std::uint32_t flow);
  session_state final_state(const entry& e) const noexcept;

  const flow_options options_;
  flow_observer& observer_;
  memory_budget& budget_;
  tsl::robin_map<flow_key, std::uint32_t, key_hash, std::equal_to<flow_key>,
                 std::allocator<std::pair<flow_key, std::uint32_t>>, true>
      map_;
  std::vector<slab> slabs_;
  std::vector<std::uint32_t> free_;
  std::array<queue, queue_count> queues_{};
  std::vector<std::uint32_t> links_;
  std::vector<std::uint32_t> touched_;
  /// Where the next segments' flows were found; no more than hints, because segments change the
  /// table.
  std::array<std::uint32_t, 32> ahead_{};
  const packet_block* block_ = nullptr;
  timestamp now_{};
  std::size_t sessions_ = 0;
  std::size_t syn_payload_ = 0;
  std::uint64_t serial_ = 0;
  /// Why sessions end as `failed`.
  std::string failure_;
  flow_counters counters_;
};

} // namespace weir
