#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <weir/tests/net/tcp/one_direction.hpp>

namespace weir {
namespace {

using test::one_direction;

/// Everything random of a case comes from its seed, which a failure prints.
class chance {
public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
  std::mt19937_64 engine_;
};

struct piece_of_text {
  std::size_t offset;
  std::size_t length;
};

std::string random_text(chance& c, std::size_t length) {
  std::string text(length, '\0');
  for (auto& ch : text)
    ch = static_cast<char>('a' + c.below(26));
  return text;
}

/// Initial numbers near the wrap, near the sign change, and anywhere.
std::uint32_t random_initial(chance& c, std::size_t length) {
  const auto back = static_cast<std::uint32_t>(c.below(length + 2));
  switch (c.below(3)) {
  case 0: return 0u - back;
  case 1: return 0x80000000u - back;
  default: return static_cast<std::uint32_t>(c.below(std::uint64_t{1} << 32));
  }
}

std::vector<piece_of_text> cut(chance& c, std::size_t length) {
  const auto longest = c.one_in(2) ? 8u : 400u;
  std::vector<piece_of_text> pieces;
  for (std::size_t at = 0; at < length;) {
    const auto n = std::min<std::size_t>(c.between(2, longest), length - at);
    pieces.push_back({at, n});
    at += n;
  }
  return pieces;
}

/// Retransmissions of whole pieces and of ranges that lie across several. A repeated single byte at
/// the end of what was delivered would be a keep-alive, so none is of length one.
void repeat_some(chance& c, std::vector<piece_of_text>& pieces, std::size_t length) {
  for (auto n = c.below(pieces.size() / 2 + 1); n > 0; --n) {
    const auto begin = c.below(length);
    const auto size = c.between(2, 600);
    pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(c.below(pieces.size() + 1)),
                  {begin, std::min<std::size_t>(size, length - begin)});
  }
}

void reorder(chance& c, std::vector<piece_of_text>& pieces) {
  const auto reach = c.below(20) + 1;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    std::swap(pieces[i], pieces[std::min<std::size_t>(pieces.size() - 1, i + c.below(reach))]);
}

/// Bytes sent so far without a hole: what a receiver acknowledges.
class receiver {
public:
  explicit receiver(std::size_t length) : seen_(length) {}

  void receive(const piece_of_text& p) {
    std::fill_n(seen_.begin() + static_cast<std::ptrdiff_t>(p.offset), p.length, true);
    while (next_ < seen_.size() && seen_[next_])
      ++next_;
  }
  std::size_t count() const {
    return static_cast<std::size_t>(std::count(seen_.begin(), seen_.end(), true));
  }
  std::size_t next() const { return next_; }

private:
  std::vector<bool> seen_;
  std::size_t next_ = 0;
};

enum class acknowledgements { none, some, all };

stream_options random_options(chance& c) {
  return {.overlap = c.one_in(2) ? overlap_policy::first : overlap_policy::last};
}

TEST(stream_property, a_text_cut_reordered_repeated_and_overlapped_comes_back) {
  for (std::uint64_t seed = 1; seed <= 8'000; ++seed) {
    SCOPED_TRACE(seed);
    chance c{seed};
    const auto text = random_text(c, c.between(2, 3000));
    const auto acks = static_cast<acknowledgements>(c.below(3));
    const bool syn_seen = !c.one_in(3);
    auto pieces = cut(c, text.size());
    repeat_some(c, pieces, text.size());
    reorder(c, pieces);
    one_direction d{random_options(c), random_initial(c, text.size())};
    receiver peer{text.size()};
    if (syn_seen && c.one_in(2))
      d.opened();
    else if (syn_seen)
      d.data(-1, "", tcp_flag::syn);
    const bool with_fin = c.one_in(2);
    if (with_fin && syn_seen && c.one_in(3)) d.fin(static_cast<std::int64_t>(text.size()));
    for (const auto& p : pieces) {
      const auto bytes = std::string_view{text}.substr(p.offset, p.length);
      if (with_fin && p.offset + p.length == text.size())
        d.fin(static_cast<std::int64_t>(p.offset), bytes);
      else
        d.data(static_cast<std::int64_t>(p.offset), bytes);
      peer.receive(p);
      if (acks == acknowledgements::all || (acks == acknowledgements::some && c.one_in(4)))
        d.ack(static_cast<std::int64_t>(peer.next()));
    }
    d.finish();
    ASSERT_EQ(d.heard, text);
    ASSERT_EQ(d.figures.bytes, text.size());
    ASSERT_EQ(d.figures.gap_count, 0u);
    ASSERT_EQ(d.figures.missing, 0u);
    ASSERT_EQ(d.figures.conflicting, 0u);
    ASSERT_EQ(d.figures.out_of_window, 0u);
    ASSERT_EQ(d.held(), 0u);
  }
}

/// Checks each delivery against the original and the tiling of bytes and gaps.
class against_original final : public stream_sink {
public:
  against_original(const std::string& text, std::uint32_t first, stream_options options)
      : text_(text), first_(first), options_(options), stream_(options_, budget_, *this, figures) {}

  void on_data(bytes_view bytes, timestamp) override {
    ASSERT_LE(at + bytes.size(), text_.size());
    EXPECT_EQ(as_text(bytes), std::string_view{text_}.substr(at, bytes.size()));
    at += bytes.size();
    figures.bytes += bytes.size();
  }
  void on_gap(const gap& missing, timestamp) override {
    EXPECT_EQ(missing.offset, at);
    EXPECT_GT(missing.length, 0u);
    at += missing.length;
  }
  segment at_offset(std::size_t offset) const {
    segment s;
    s.flags = tcp_flag::ack;
    s.sequence = s.acknowledgment = first_ + static_cast<std::uint32_t>(offset);
    s.window = 65535;
    return s;
  }
  stream& under_test() { return stream_; }

  side_summary figures;
  std::size_t at = 0;

private:
  const std::string& text_;
  std::uint32_t first_;
  memory_budget budget_{1 << 30};
  stream_options options_;
  stream stream_;
};

TEST(stream_property, what_was_not_captured_is_what_is_declared_missing) {
  for (std::uint64_t seed = 1; seed <= 8'000; ++seed) {
    SCOPED_TRACE(seed);
    chance c{seed};
    const auto text = random_text(c, c.between(2, 3000));
    auto sent = cut(c, text.size());
    if (c.one_in(2)) repeat_some(c, sent, text.size());
    // What is captured after an acknowledgement that covers it is late: with acknowledgements the
    // order is that of the wire, and nothing is sent again that the peer has.
    const bool acknowledged = c.one_in(2);
    if (!acknowledged) reorder(c, sent);
    // What a snapshot length cut off is missing at once, though it may be sent again.
    const bool with_cuts = c.one_in(4);
    const auto one_lost_in = c.between(2, 8);
    against_original d{text, random_initial(c, text.size()), random_options(c)};
    d.under_test().start(d.at_offset(0).sequence, {});
    receiver peer{text.size()};
    receiver capture{text.size()};
    for (const auto& p : sent) {
      if (acknowledged && p.offset < peer.next()) continue;
      peer.receive(p);
      if (!c.one_in(one_lost_in)) {
        auto s = d.at_offset(p.offset);
        s.data = as_bytes(text).data() + p.offset;
        s.captured = s.length = static_cast<std::uint32_t>(p.length);
        if (with_cuts && c.one_in(3)) s.captured = static_cast<std::uint32_t>(c.below(p.length));
        capture.receive({p.offset, s.captured});
        d.under_test().add(s);
      }
      if (acknowledged && c.one_in(3)) d.under_test().acknowledge(d.at_offset(peer.next()));
    }
    auto end = d.at_offset(text.size());
    end.flags |= tcp_flag::fin;
    d.under_test().add(end);
    d.under_test().finish({});
    ASSERT_EQ(d.at, text.size());
    ASSERT_EQ(d.figures.bytes + d.figures.missing, text.size());
    if (!with_cuts) {
      ASSERT_EQ(d.figures.bytes, capture.count());
    }
    ASSERT_LE(d.figures.bytes, capture.count());
    ASSERT_EQ(d.figures.conflicting, 0u);
    std::uint64_t listed = 0;
    for (const auto& g : d.figures.gaps)
      listed += g.length;
    ASSERT_EQ(listed, d.figures.missing);
    ASSERT_EQ(d.figures.gaps.size(), d.figures.gap_count);
    for (std::size_t i = 1; i < d.figures.gaps.size(); ++i)
      ASSERT_LT(d.figures.gaps[i - 1].offset + d.figures.gaps[i - 1].length,
                d.figures.gaps[i].offset);
    if (testing::Test::HasFailure()) return;
  }
}

/// Segments of any sequence number, length and flags, more often near each other than not.
segment random_segment(chance& c, std::uint32_t near, const std::string& bytes) {
  segment s;
  s.flags = static_cast<std::uint8_t>(c.below(64));
  if (!c.one_in(20)) s.flags &= static_cast<std::uint8_t>(~(tcp_flag::rst | tcp_flag::syn));
  if (!c.one_in(20)) s.flags &= static_cast<std::uint8_t>(~tcp_flag::fin);
  const auto anywhere = std::uint64_t{1} << (c.one_in(10) ? 32 : c.between(4, 26));
  s.sequence = near + static_cast<std::uint32_t>(c.below(anywhere));
  s.acknowledgment = near + static_cast<std::uint32_t>(c.below(anywhere));
  s.window = static_cast<std::uint16_t>(c.below(65536));
  s.length = static_cast<std::uint32_t>(c.one_in(3) ? c.below(4) : c.below(bytes.size() + 1));
  s.captured = c.one_in(5) ? static_cast<std::uint32_t>(c.below(s.length + 1)) : s.length;
  s.data = as_bytes(bytes).data() + c.below(bytes.size() - s.captured + 1);
  return s;
}

TEST(stream_property, any_segments_leave_consistent_figures_and_no_memory) {
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    SCOPED_TRACE(seed);
    chance c{seed};
    const auto bytes = random_text(c, 2000);
    auto options = random_options(c);
    options.max_held = std::size_t{1} << c.between(8, 18);
    memory_budget budget{1 << 30};
    side_summary figures;
    struct counter final : stream_sink {
      void on_data(bytes_view b, timestamp) override { bytes += b.size(); }
      void on_gap(const gap& g, timestamp) override { missing += g.length; }
      std::uint64_t bytes = 0;
      std::uint64_t missing = 0;
    } sink;
    {
      stream d{options, budget, sink, figures};
      const auto near = static_cast<std::uint32_t>(c.below(std::uint64_t{1} << 32));
      if (c.one_in(2)) d.start(near, {});
      if (c.one_in(2)) d.peer_window_scale(static_cast<std::uint8_t>(c.below(20)));
      const auto skip_one_in = c.one_in(10) ? 100u : 1'000'000u;
      std::uint64_t captured = 0;
      for (auto n = c.below(200); n > 0; --n) {
        const auto s = random_segment(c, near, bytes);
        if (c.one_in(3)) {
          d.acknowledge(s);
        } else {
          d.add(s);
          captured += s.captured;
        }
        if (c.one_in(50)) d.relieve();
        if (c.one_in(skip_one_in)) d.skip();
        ASSERT_LE(d.held(), options.max_held);
        ASSERT_GE(budget.used(), d.held());
        ASSERT_LE(budget.used(), d.held() + delivered_history::limit);
      }
      d.finish({});
      ASSERT_EQ(d.held(), 0u);
      ASSERT_EQ(sink.bytes + figures.skipped + figures.duplicate + figures.out_of_window, captured);
      ASSERT_EQ(sink.missing, figures.missing);
      ASSERT_LE(figures.conflicting, figures.duplicate);
    }
    ASSERT_EQ(budget.used(), 0u);
  }
}

} // namespace
} // namespace weir
