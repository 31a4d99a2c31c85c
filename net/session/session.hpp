/// One TCP conversation: puts both streams together and feeds an accumulator. The session actor is
/// a thin shell around it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <weir/net/memory_budget.hpp>
#include <weir/net/segment.hpp>
#include <weir/net/session/accumulator.hpp>
#include <weir/net/session/session_info.hpp>
#include <weir/net/tcp/stream.hpp>

namespace weir {

/// What the dispatcher knows when it starts a session.
struct session_start {
  session_info info;
  /// True where a of the flow key is the client.
  bool client_is_a = true;
  /// Sequence number of each side's first byte, by `index(side)`, where its SYN was seen.
  std::array<bool, 2> has_initial{};
  std::array<std::uint32_t, 2> initial{};
  /// Payload of the SYNs (fast open, RFC 7413), kept from earlier blocks. At `initial`.
  std::array<std::vector<std::byte>, 2> syn_payload;
  /// Window scale of each side (RFC 7323), or `segment::no_scale` where it is not known.
  std::array<std::uint8_t, 2> window_scale{segment::no_scale, segment::no_scale};
};

/// What the dispatcher knows when a session is over.
struct session_end {
  session_state state = session_state::open;
  timestamp time{};
  /// Packets of each side, SYNs and bare acknowledgements included.
  std::array<std::uint64_t, 2> packets{};
  /// Payload that the dispatcher kept from the session because no receiver would accept it; goes
  /// into `side_summary::out_of_window`.
  std::array<std::uint64_t, 2> out_of_window{};
  /// With `failed`: why; goes into `session_summary::failure`.
  std::string failure{};
};

struct session_options {
  stream_options stream;
  /// Payload bytes of both sides together after which the rest is skipped (counted); zero: no
  /// limit.
  std::uint64_t max_bytes = 0;
};

/// Calls the accumulator's on_start with the first segment (or at the end), so that the constructor
/// throws nothing of the accumulator's.
class session {
public:
  session(session_start start, session_options options, memory_budget& budget,
          std::unique_ptr<accumulator> accumulator);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  const session_info& info() const noexcept { return start_.info; }

  /// Segments of this flow in the order of their capture. Throws what the accumulator throws.
  void add(const segment& s);

  /// Flushes what is still held back, settles all gaps, and tells the accumulator. Only once.
  /// Throws what the accumulator throws.
  void finish(const session_end& end);

  /// Ends after an exception, or without warning: no more calls to the accumulator but on_end with
  /// state `failed`, and not even that where on_end was what threw, or has been called.
  void fail(const session_end& end) noexcept;

  /// Memory is short. Throws what the accumulator throws.
  void relieve();

private:
  /// Knows which side a stream is.
  struct sink final : stream_sink {
    sink(session& s, side f) noexcept : owner(&s), from(f) {}
    void on_data(bytes_view bytes, timestamp time) override;
    void on_gap(const gap& missing, timestamp time) override;

    session* owner;
    side from;
  };

  stream& stream_of(side s) noexcept { return streams_[index(s)]; }
  void tell_streams();
  void open();
  void skip_rest() noexcept;
  void obey(accumulator::verdict v) noexcept;
  void flush(timestamp time);
  void fill_summary(const session_end& end);

  session_start start_;
  session_options options_;
  std::unique_ptr<accumulator> accumulator_;
  session_summary summary_;
  std::array<sink, 2> sinks_;
  std::array<stream, 2> streams_;
  std::uint64_t delivered_ = 0;
  bool opened_ = false;
  bool ended_ = false;
};

} // namespace weir
