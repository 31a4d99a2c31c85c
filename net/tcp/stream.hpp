/// The bytes of one direction of a TCP conversation, put back in order (RFC 9293 3.4, 3.10.7.4).
#pragma once

#include <cstdint>
#include <optional>

#include <weir/net/memory_budget.hpp>
#include <weir/net/segment.hpp>
#include <weir/net/session/session_info.hpp>
#include <weir/net/tcp/delivered_history.hpp>
#include <weir/net/tcp/held_segments.hpp>
#include <weir/net/time.hpp>

namespace weir {

struct stream_options {
  overlap_policy overlap = overlap_policy::first;
  /// Out-of-order bytes held back in one direction; when reached, the lowest gap is declared.
  /// Counts each held segment with its bookkeeping.
  std::size_t max_held = 16 << 20;
};

/// Where a stream's bytes go: in order, each once. May throw, and may call `stream::skip`.
class stream_sink {
public:
  virtual void on_data(bytes_view bytes, timestamp time) = 0;
  virtual void on_gap(const gap& missing, timestamp time) = 0;

protected:
  ~stream_sink() = default;
};

/// What an observer can tell of one direction, who sees neither end's state and may have missed
/// anything. In-order bytes pass straight through. What comes early is held until the bytes before
/// it arrive, or until it is clear that they never will: the peer acknowledges them, the held bytes
/// reach their limit, or the session ends. Then a gap is declared.
///
/// Which bytes belong to the stream:
/// - The first copy delivered counts; among held copies the policy decides. Copies that differ are
///   counted, also against the last bytes delivered.
/// - Urgent data stays in line (RFC 6093 3 and 6). A zero-window probe is data (RFC 9293 3.8.6.1),
/// a
///   keep-alive's byte is not (RFC 1122 4.2.3.6).
/// - The text of a RST is not: it is for the receiver's diagnosis (RFC 9293 3.5.3, RFC
/// 1122 4.2.2.12)
///   and no receiver hands it to an application. tshark's follow prints it.
/// - Bytes after the FIN are not. The FIN holds once all bytes before it are there, as in a
/// receiver;
///   a segment that reaches across a FIN's position before that shows it to be forged.
///
/// What is believed: segments beyond what the receiver could accept must not open a hole of a
/// gigabyte, but captures do lose seconds of traffic. Data beyond the window waits apart from the
/// rest until an acknowledgement covers it. An acknowledgement beyond the window is believed when a
/// second one repeats or extends it, but only from where the peer is itself known to be: a receiver
/// looks at no other (RFC 9293 3.10.7.4, RFC 5961 5). Where there is none, because both sides are
/// far ahead or only one was captured, the data waits until it reaches the limit on held bytes or
/// the session ends. It is believed then if there is a sustained run of it, or if the peer's
/// segments from afar acknowledge it twice. Forged segments can agree with each other as well; what
/// tells them apart is that the genuine sides go on where they were, and a single segment there
/// refutes all that was claimed before it.
///
/// Midstream (no SYN seen), the stream begins with the lowest byte that was captured before the
/// peer acknowledged any: until then, or up to 64 KiB, everything is held back.
class stream {
public:
  /// Counts into `figures` all but `packets` and `bytes`, which the sink counts. All references
  /// must outlive the stream.
  stream(const stream_options& options, memory_budget& budget, stream_sink& sink,
         side_summary& figures) noexcept;

  /// The sequence number of the first byte, from a SYN. Nothing changes where it is known already,
  /// or where it is far from what was captured. `time` is that of the packet that told.
  void start(std::uint32_t first, timestamp time);

  /// The peer's opening was seen, so its first acknowledgement tells where this side starts.
  void start_with_acknowledgment() noexcept { acknowledgment_starts_ = true; }

  /// The scale of the peer's announced windows (RFC 7323 2.2); unknown otherwise, and then more is
  /// taken for plausible.
  void peer_window_scale(std::uint8_t scale) noexcept;

  /// A segment of this direction.
  void add(const segment& s);

  /// What a segment of the other direction tells of this one; before the data it carries is added
  /// there. Not every acknowledgement has to be given, and only of segments that are `in_place` in
  /// the peer's stream.
  void acknowledge(const segment& from_peer);

  /// The same for a segment that is not in place: no more than a claim.
  void claim(const segment& from_peer) noexcept;

  /// Whether a segment of this direction lies about where the sender is known to be: not beyond
  /// what the receiver could accept, and not further behind than reordering explains.
  bool in_place(const segment& s) const noexcept;

  /// Nothing more will come: delivers what is held, declares all gaps.
  void finish(timestamp time);

  /// From now on payload is only counted, in `side_summary::skipped`, as is what is still held.
  void skip() noexcept;

  /// Lets go of memory that can be spared.
  void relieve() noexcept { history_.forget(); }

  /// Held bytes with their bookkeeping.
  std::size_t held() const noexcept { return held_.cost() + doubted_.cost(); }

  /// When the first byte held back was captured; none where nothing is held.
  std::optional<timestamp> held_since() const noexcept;

private:
  enum class state : std::uint8_t {
    /// No byte's position is known.
    unknown,
    /// Begins with the lowest byte held, as far as is known.
    guessed,
    /// `begin_` is final.
    settled,
    /// Only counts.
    skipping,
  };

  /// The part of a segment that is still of interest.
  struct arrival {
    std::uint64_t begin;
    bytes_view captured;
    std::uint32_t length;
    timestamp time;

    std::uint64_t end() const noexcept { return begin + length; }
    std::uint64_t drop_front(std::uint64_t n) noexcept;
  };

  std::uint64_t position(std::uint32_t sequence) const noexcept;
  std::uint64_t high() const noexcept { return held_.empty() ? next_ : held_.end(); }
  std::uint64_t allowance() const noexcept;
  bool is_keep_alive(const arrival& a) const noexcept;
  bool ended() const noexcept { return fin_ && next_ >= *fin_; }

  void guess_start(std::uint32_t sequence, std::uint32_t length);
  bool move_start_back(const arrival& a);
  void guess_again();
  void drop_before(std::uint64_t first);
  void settle_start(timestamp time);
  void trim_seen(arrival& a);
  void take(arrival a, bool fin);
  void hold(const arrival& a, overlap_policy policy);
  void doubt(const arrival& a, bool fin);
  void refute() noexcept;
  void forget_doubted() noexcept;
  void note_fin(std::uint64_t end);
  void contradict_fin(const arrival& a) noexcept;
  void after_arrival(timestamp time);

  void deliver(bytes_view bytes, timestamp time);
  void declare_gap(std::uint64_t length, timestamp time);
  void deliver_ready(timestamp time);
  void settle_until(std::uint64_t end, timestamp time);
  void confirm(std::uint64_t end, timestamp time);
  void note_unseen(std::uint64_t acknowledged, bool with_data, timestamp time);

  bool adopt_doubted(std::uint64_t below);
  void resynchronize(timestamp time);
  std::optional<std::uint64_t> believed_position();
  void resolve_doubted(timestamp time);
  void enforce_limit(timestamp time);
  void drop_beyond_end() noexcept;

  const stream_options* options_;
  stream_sink* sink_;
  side_summary* figures_;
  state state_ = state::unknown;
  bool acknowledgment_starts_ = false;
  /// This direction went on where it was, or the peer acknowledged no more than that, after what is
  /// in doubt came.
  bool refuted_ = false;
  std::uint8_t window_scale_ = segment::no_scale;
  std::uint64_t window_ = 0;
  /// Positions: the low 32 bits are the sequence number. `begin_` is the stream's offset zero, all
  /// before `next_` is delivered or declared missing.
  std::uint64_t begin_ = 0;
  std::uint64_t next_ = 0;
  /// One beyond the last gap.
  std::uint64_t gap_end_ = 0;
  /// The stream's end by its FIN, and by one beyond the window.
  std::optional<std::uint64_t> fin_;
  std::optional<std::uint64_t> doubted_fin_;
  /// An acknowledgement of bytes that were not captured, not believed yet.
  std::optional<std::uint64_t> unseen_ack_;
  /// When the first of these came.
  timestamp unseen_since_{};
  /// The peer's last acknowledgement before any data.
  std::optional<std::uint32_t> early_ack_;
  /// The last acknowledgement from afar, and the one before that it repeats or extends.
  std::optional<std::uint64_t> claimed_;
  std::optional<std::uint64_t> claimed_twice_;
  held_segments held_;
  held_segments doubted_;
  delivered_history history_;
};

} // namespace weir
