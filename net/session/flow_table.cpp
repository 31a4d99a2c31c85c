#include <weir/net/session/flow_table.hpp>

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

namespace {

/// The same packets give the same id on every run and machine: no secret goes in.
std::uint64_t session_id(const session_info& info, std::uint64_t serial) noexcept {
  struct {
    std::array<std::uint8_t, 16> client;
    std::array<std::uint8_t, 16> server;
    std::int64_t start;
    std::uint64_t serial;
    std::uint16_t ports[2];
    std::uint32_t zero;
  } input{info.client.address.bytes,
          info.server.address.bytes,
          info.start.time_since_epoch().count(),
          serial,
          {info.client.port, info.server.port},
          0};
  return XXH3_64bits(&input, sizeof input);
}

/// What a session can hold of its streams before it hands on: an estimate for `press` and `evict`.
constexpr std::uint64_t max_buffered = 512 << 10;

constexpr std::uint32_t segments_between_looks = 4096;

} // namespace

void flow_counters::add(const flow_counters& other) noexcept {
  segments += other.segments;
  sessions += other.sessions;
  midstream += other.midstream;
  for (std::size_t i = 0; i < ended.size(); ++i)
    ended[i] += other.ended[i];
  refused += other.refused;
  half_open_timeout += other.half_open_timeout;
  half_open_evicted += other.half_open_evicted;
  half_open_unfinished += other.half_open_unfinished;
  stray += other.stray;
  late += other.late;
  late_bytes += other.late_bytes;
  ignored += other.ignored;
  midstream_ignored += other.midstream_ignored;
  syn_payload_dropped += other.syn_payload_dropped;
}

flow_table::flow_table(const flow_options& options, flow_observer& observer, memory_budget& budget)
    : options_(options), observer_(observer), budget_(budget), map_(0, key_hash{secret_seed()}) {}

flow_table::~flow_table() { budget_.release(syn_payload_); }

duration flow_table::timeout_of(queue_id id) const noexcept {
  switch (id) {
  case queue_id::half_open: return options_.half_open_timeout;
  case queue_id::open: return options_.idle_timeout;
  case queue_id::closing: return std::min(options_.closing_timeout, options_.idle_timeout);
  case queue_id::lingering: return options_.linger;
  case queue_id::closed: return options_.closed_timeout;
  }
  return options_.idle_timeout;
}

// -- the way of a segment ----------------------------------------------------

void flow_table::process(packet_block& block, std::size_t shard) {
  auto& in = block.shards[shard];
  block_ = &block;
  links_.assign(in.segments.size(), none);
  counters_.segments += in.segments.size();
  for (std::uint32_t i = 0; i < in.segments.size(); ++i) {
    if (i % ahead_.size() == 0) look_ahead(in.segments, i);
    take(in.segments[i], i);
    const bool look = i % segments_between_looks == segments_between_looks - 1;
    if (sessions_ > options_.max_sessions || (look && budget_.exhausted())) make_room(in);
  }
  flush(&in);
  block_ = nullptr;
  advance(block.now);
}

/// A block of small packets can start more sessions than there is memory for. What it meant so far
/// is told at once then, and those that were idle for longest go.
void flow_table::make_room(block_shard& shard) {
  flush(&shard);
  enforce_limits();
  flush(nullptr);
  if (budget_.exhausted()) observer_.crowded();
}

/// Many flows do not fit the caches. Looking a run of them up without anything in between lets
/// their cache misses overlap instead of adding up.
void flow_table::look_ahead(const std::vector<segment>& segments, std::size_t from) {
  const auto count = std::min(ahead_.size(), segments.size() - from);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& s = segments[from + i];
    const auto found = map_.find(s.key, s.flow_hash);
    ahead_[i] = found == map_.end() ? none : found->second;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (ahead_[i] == none) continue;
    const auto* line = reinterpret_cast<const char*>(&at(ahead_[i]));
    for (std::size_t at = 0; at < sizeof(entry); at += 64)
      __builtin_prefetch(line + at, 1);
  }
}

void flow_table::take(const segment& s, std::uint32_t position) {
  now_ = std::max(now_, s.time);
  auto flow = lookup(s, ahead_[position % ahead_.size()]);
  if (flow == none) return;
  auto verdict = at(flow).link.add(s);
  if (verdict == connection::verdict::reused) {
    auto next = at(flow).link.successor(s);
    count_unfinished(at(flow));
    retire(flow, final_state(at(flow)));
    flow = create(s);
    at(flow).link = next;
    verdict = at(flow).link.add(s);
  }
  auto& e = at(flow);
  e.last = std::max(e.last, s.time);
  if (e.queue != queue_id::lingering) e.since = e.last;
  touch(flow);
  const auto from = index(e.link.sender(s));
  if (verdict == connection::verdict::ignore) {
    ++counters_.ignored;
    e.out_of_window[from] += s.length;
    return;
  }
  if (!e.has_session) {
    if (e.link.state() == connection::phase::half_open) {
      if (s.captured > 0) keep_syn_payload(e, s);
      return;
    }
    const bool refused = e.link.state() == connection::phase::over && e.link.was_reset();
    if (refused && !e.syn) {
      ++counters_.refused;
      retire(flow, session_state::reset);
      return;
    }
    start(flow, &s);
  }
  if (verdict == connection::verdict::deliver) {
    if (e.chain_first == none)
      e.chain_first = position;
    else
      links_[e.chain_last] = position;
    e.chain_last = position;
    ++e.chain_count;
    e.buffered += s.captured;
    if (!e.link.orderly()) e.unordered += s.captured;
  }
  update_queue(flow);
}

std::uint32_t flow_table::find(const segment& s, std::uint32_t hint) {
  if (hint != none && !at(hint).detached && at(hint).key == s.key) return hint;
  const auto found = map_.find(s.key, s.flow_hash);
  return found == map_.end() ? none : found->second;
}

/// The flow's entry, made if the segment may begin one; `none` where it may not.
std::uint32_t flow_table::lookup(const segment& s, std::uint32_t hint) {
  if (const auto flow = find(s, hint); flow != none) {
    auto& e = at(flow);
    if (e.since + timeout_of(e.queue) <= now_) {
      expire_one(flow);
    } else if (e.queue == queue_id::closed && !e.link.is_late(s)
               && (s.length > 0 || s.has(tcp_flag::syn)) && !s.has(tcp_flag::rst)) {
      retire(flow, session_state::closed);
    } else if (e.queue == queue_id::closed) {
      ++counters_.late;
      counters_.late_bytes += s.length;
      return none;
    } else {
      return flow;
    }
    // An entry that lingered past its time is remembered as closed by now: ask again.
    if (find(s, none) != none) return lookup(s, none);
  }
  const bool syn = s.has(tcp_flag::syn);
  if (s.has(tcp_flag::rst) || (!syn && s.length == 0)) {
    ++counters_.stray;
    return none;
  }
  if (!syn && !options_.midstream) {
    ++counters_.midstream_ignored;
    return none;
  }
  return create(s);
}

std::uint32_t flow_table::create(const segment& s) {
  std::uint32_t flow;
  if (free_.empty()) {
    if (slabs_.empty() || slabs_.back().size() == slab_size)
      slabs_.emplace_back().reserve(slab_size);
    flow = static_cast<std::uint32_t>((slabs_.size() - 1) * slab_size + slabs_.back().size());
    slabs_.back().emplace_back(s);
  } else {
    flow = free_.back();
    free_.pop_back();
    at(flow) = entry{s};
  }
  auto& e = at(flow);
  e.first = e.last = e.since = s.time;
  map_[s.key] = flow;
  enqueue(flow, queue_id::half_open);
  touch(flow);
  return flow;
}

void flow_table::keep_syn_payload(entry& e, const segment& s) {
  const auto from = s.from_b ? 1 : 0;
  if (syn_payload_ + s.captured > options_.max_syn_payload) {
    counters_.syn_payload_dropped += s.captured;
    return;
  }
  if (!e.syn) e.syn = std::make_unique<syn_data>();
  auto& kept = e.syn->payload[static_cast<std::size_t>(from)];
  if (!kept.empty()) return;
  kept.assign(s.data, s.data + s.captured);
  syn_payload_ += kept.size();
  budget_.charge(kept.size());
}

/// `s` established it; null where only kept SYN payload makes it a session.
void flow_table::start(std::uint32_t flow, const segment* s) {
  auto& e = at(flow);
  const bool client_is_a = e.link.client_is_a();
  session_start start;
  start.client_is_a = client_is_a;
  start.info.client = client_is_a ? e.key.a() : e.key.b();
  start.info.server = client_is_a ? e.key.b() : e.key.a();
  start.info.start = e.first;
  start.info.midstream = e.link.midstream();
  start.info.id = session_id(start.info, serial_++);
  if (s != nullptr && s->encapsulation != 0 && block_ != nullptr)
    start.info.encapsulation = block_->encapsulations[s->encapsulation - 1u];
  for (const auto side : both_sides) {
    const auto& from = e.link[side];
    start.has_initial[index(side)] = from.has_initial;
    start.initial[index(side)] = from.initial + 1;
    start.window_scale[index(side)] = from.window_scale;
    if (e.syn) {
      auto& kept = e.syn->payload[(side == side::client) == client_is_a ? 0 : 1];
      syn_payload_ -= kept.size();
      budget_.release(kept.size());
      start.syn_payload[index(side)] = std::move(kept);
    }
  }
  e.syn.reset();
  e.has_session = true;
  ++sessions_;
  ++counters_.sessions;
  counters_.midstream += start.info.midstream ? 1 : 0;
  observer_.started(flow, std::move(start));
}

/// Puts the entry where its connection's state belongs.
void flow_table::update_queue(std::uint32_t flow) {
  auto& e = at(flow);
  switch (e.link.state()) {
  case connection::phase::half_open: return;
  case connection::phase::established:
    if (e.queue != queue_id::open) enqueue(flow, queue_id::open);
    return;
  case connection::phase::closing:
    if (e.queue != queue_id::closing) enqueue(flow, queue_id::closing);
    return;
  case connection::phase::over:
    if (!e.link.was_reset() && e.link.orderly()) {
      end(flow, session_state::closed);
    } else if (e.queue != queue_id::lingering) {
      e.since = e.last;
      enqueue(flow, queue_id::lingering);
    }
  }
}

// -- ends ----------------------------------------------------------------------

session_state flow_table::final_state(const entry& e) const noexcept {
  switch (e.link.state()) {
  case connection::phase::half_open: return session_state::timeout;
  // A new connection on the ports of one that was open: its owner has given it up.
  case connection::phase::established: return session_state::reset;
  case connection::phase::closing: return session_state::closed;
  case connection::phase::over:
    return e.link.was_reset() ? session_state::reset : session_state::closed;
  }
  return session_state::closed;
}

/// The session is over; the entry stays as a closed one.
void flow_table::end(std::uint32_t flow, session_state state) {
  auto& e = at(flow);
  e.ending = true;
  e.end_state = state;
  touch(flow);
  e.since = now_;
  enqueue(flow, queue_id::closed);
}

/// Ends the session, if there is one, and takes the entry out of the table.
void flow_table::retire(std::uint32_t flow, session_state state) {
  auto& e = at(flow);
  if (e.detached) return;
  if (!e.has_session && e.syn) start(flow, nullptr);
  if (e.has_session && !e.ending) {
    e.ending = true;
    e.end_state = state;
  }
  forget(flow);
}

void flow_table::forget(std::uint32_t flow) {
  auto& e = at(flow);
  e.detached = true;
  unlink(flow);
  map_.erase(e.key, e.hash);
  touch(flow);
}

void flow_table::expire_one(std::uint32_t flow) {
  auto& e = at(flow);
  switch (e.queue) {
  case queue_id::half_open:
    ++counters_.half_open_timeout;
    retire(flow, session_state::timeout);
    return;
  case queue_id::open: retire(flow, session_state::timeout); return;
  case queue_id::closing: end(flow, session_state::closed); return;
  case queue_id::lingering: end(flow, final_state(e)); return;
  case queue_id::closed: forget(flow); return;
  }
}

void flow_table::expire(timestamp now) {
  for (std::size_t i = 0; i < queue_count; ++i) {
    const auto id = static_cast<queue_id>(i);
    const auto timeout = timeout_of(id);
    auto& q = queue_of(id);
    while (q.head != none && at(q.head).since + timeout <= now)
      expire_one(q.head);
  }
}

void flow_table::enforce_limits() {
  auto& half_open = queue_of(queue_id::half_open);
  while (half_open.size > options_.max_half_open) {
    const auto flow = half_open.head;
    ++counters_.half_open_evicted;
    auto& e = at(flow);
    if (e.syn) {
      for (const auto& kept : e.syn->payload) {
        counters_.syn_payload_dropped += kept.size();
        syn_payload_ -= kept.size();
        budget_.release(kept.size());
      }
      e.syn.reset();
    }
    forget(flow);
  }
  auto& closed = queue_of(queue_id::closed);
  while (closed.size > options_.max_closed)
    forget(closed.head);
  for (const auto id : {queue_id::lingering, queue_id::closing, queue_id::open}) {
    auto& q = queue_of(id);
    std::size_t live = queue_of(queue_id::lingering).size + queue_of(queue_id::closing).size
                       + queue_of(queue_id::open).size;
    for (; live > options_.max_sessions && q.head != none; --live)
      retire(q.head, session_state::evicted);
  }
}

void flow_table::advance(timestamp now) {
  now_ = std::max(now_, now);
  expire(now_);
  enforce_limits();
  flush(nullptr);
}

void flow_table::count_unfinished(const entry& e) noexcept {
  if (e.queue == queue_id::half_open && !e.syn) ++counters_.half_open_unfinished;
}

template<class Function>
void flow_table::end_all(Function state_of) {
  for (const auto id : {queue_id::half_open, queue_id::open, queue_id::closing, queue_id::lingering,
                        queue_id::closed}) {
    auto& q = queue_of(id);
    while (q.head != none) {
      count_unfinished(at(q.head));
      retire(q.head, state_of(at(q.head)));
    }
  }
  flush(nullptr);
}

void flow_table::finish() {
  end_all([this](const entry& e) {
    const bool over = e.link.state() == connection::phase::over
                      || (e.link[side::client].has_fin && e.link[side::server].has_fin);
    return over ? final_state(e) : session_state::open;
  });
}

void flow_table::abandon(const std::string& why) {
  for (const auto flow : touched_) {
    at(flow).chain_first = none;
    at(flow).chain_count = 0;
  }
  block_ = nullptr;
  failure_ = why;
  end_all([](const entry&) { return session_state::failed; });
}

template<class Function>
void flow_table::from_idlest(Function visit) {
  for (const auto id : {queue_id::lingering, queue_id::closing, queue_id::open}) {
    auto flow = queue_of(id).head;
    while (flow != none) {
      const auto following = at(flow).following;
      if (!visit(flow)) return;
      flow = following;
    }
  }
}

std::size_t flow_table::press(std::size_t bytes) {
  std::size_t asked = 0;
  from_idlest([&](std::uint32_t flow) {
    auto& buffered = at(flow).buffered;
    if (buffered > 0) {
      asked += std::min(buffered, max_buffered);
      buffered = 0;
      observer_.pressed(flow);
    }
    return asked < bytes;
  });
  return asked;
}

void flow_table::evict(std::size_t bytes) {
  std::size_t asked = 0;
  from_idlest([&](std::uint32_t flow) {
    const auto& e = at(flow);
    asked += session_overhead + std::max(std::min(e.buffered, max_buffered), e.unordered);
    retire(flow, session_state::evicted);
    return asked < bytes;
  });
  flush(nullptr);
}

// -- the end of a block --------------------------------------------------------

void flow_table::touch(std::uint32_t flow) {
  auto& e = at(flow);
  if (e.touched) return;
  e.touched = true;
  touched_.push_back(flow);
}

/// Tells the observer what the block meant for each session. All of `order` is written before the
/// first message is sent, or in a place of its own: sessions read it while others are still being
/// told.
void flow_table::flush(block_shard* shard) {
  // Queues take up what was touched in this order; where some may have to go soon, it has to be
  // exact.
  if (sessions_ > options_.max_sessions / 2 || budget_.used() > budget_.limit() / 8 * 5)
    std::ranges::stable_sort(touched_, {}, [this](std::uint32_t flow) { return at(flow).last; });
  std::uint32_t begin = 0;
  if (shard != nullptr) {
    shard->order.reserve(shard->segments.size());
    begin = static_cast<std::uint32_t>(shard->order.size());
    for (const auto flow : touched_) {
      for (auto i = at(flow).chain_first; i != none; i = links_[i])
        shard->order.push_back(i);
    }
  }
  for (const auto flow : touched_) {
    auto& e = at(flow);
    const auto count = e.chain_count;
    if (e.has_session && e.ending) {
      session_end end;
      end.state = e.end_state;
      end.time = e.last;
      if (end.state == session_state::failed) end.failure = failure_;
      for (const auto side : both_sides) {
        end.packets[index(side)] = e.link[side].packets;
        end.out_of_window[index(side)] = e.out_of_window[index(side)];
      }
      ++counters_.ended[static_cast<std::size_t>(e.end_state)];
      e.has_session = false;
      --sessions_;
      observer_.ended(flow, begin, count, end);
    } else if (count > 0) {
      observer_.arrived(flow, begin, count);
    }
    begin += count;
    e.chain_first = e.chain_last = none;
    e.chain_count = 0;
    release(flow);
  }
  touched_.clear();
}

/// After the block: the free list, or the place in its queue that its last packet gives it.
void flow_table::release(std::uint32_t flow) {
  auto& e = at(flow);
  e.touched = false;
  if (e.detached) {
    e.syn.reset();
    free_.push_back(flow);
    return;
  }
  if (e.queue == queue_id::lingering || e.queue == queue_id::closed) return;
  if (queue_of(e.queue).tail != flow) enqueue(flow, e.queue);
}

void flow_table::enqueue(std::uint32_t flow, queue_id id) {
  auto& e = at(flow);
  unlink(flow);
  auto& q = queue_of(id);
  e.queue = id;
  e.previous = q.tail;
  e.following = none;
  if (q.tail == none)
    q.head = flow;
  else
    at(q.tail).following = flow;
  q.tail = flow;
  ++q.size;
}

void flow_table::unlink(std::uint32_t flow) {
  auto& e = at(flow);
  auto& q = queue_of(e.queue);
  const bool linked = e.previous != none || q.head == flow;
  if (!linked) return;
  if (e.previous == none)
    q.head = e.following;
  else
    at(e.previous).following = e.following;
  if (e.following == none)
    q.tail = e.previous;
  else
    at(e.following).previous = e.previous;
  e.previous = e.following = none;
  --q.size;
}

} // namespace weir
