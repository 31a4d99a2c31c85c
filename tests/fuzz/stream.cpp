/// A session fed with any segments: a few bytes of options, then one record a segment. Checks what
/// must hold whatever arrives: bounded memory, figures that add up, offsets in order, all memory
/// back.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include <weir/net/session/session.hpp>

namespace {

using namespace weir;

void require(bool holds) {
  if (!holds) std::abort();
}

struct totals {
  std::array<std::uint64_t, 2> offset{};
  std::array<std::uint64_t, 2> bytes{};
  std::array<std::uint64_t, 2> missing{};
  session_summary summary;
  bool ended = false;
};

class checker final : public accumulator {
public:
  explicit checker(totals& t) : totals_(&t) {}

  verdict on_data(side from, bytes_view bytes, timestamp) override {
    require(!bytes.empty());
    totals_->offset[index(from)] += bytes.size();
    totals_->bytes[index(from)] += bytes.size();
    return verdict::more;
  }
  verdict on_gap(side from, const gap& missing, timestamp) override {
    require(missing.length > 0 && missing.offset == totals_->offset[index(from)]);
    totals_->offset[index(from)] += missing.length;
    totals_->missing[index(from)] += missing.length;
    return verdict::more;
  }
  void on_end(const session_summary& summary) override {
    require(!totals_->ended);
    totals_->ended = true;
    totals_->summary = summary;
  }

private:
  totals* totals_;
};

/// Sequence numbers are mostly small distances: eight bits of distance and five of its scale.
std::uint32_t number(cursor& in) {
  const std::uint32_t distance = in.u8();
  const auto scale = in.u8();
  return (scale & 0x80) != 0 ? 0u - (distance << (scale & 31)) : distance << (scale & 31);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cursor in{{reinterpret_cast<const std::byte*>(data), size}};
  const auto flags = in.u8();
  session_options options;
  options.stream.overlap = (flags & 1) != 0 ? overlap_policy::last : overlap_policy::first;
  options.stream.max_held = std::size_t{256} << (in.u8() & 15);
  if ((flags & 2) != 0) options.max_bytes = in.u8();
  session_start start;
  start.has_initial = {(flags & 4) != 0, (flags & 8) != 0};
  start.initial = {0xffffff00u, 0x7fffff00u};
  if ((flags & 16) != 0) start.window_scale = {7, 14};
  start.client_is_a = (flags & 32) == 0;
  if ((flags & 64) != 0) start.syn_payload[0].resize(in.u8());

  memory_budget budget{1 << 30};
  totals t;
  std::array<std::uint64_t, 2> captured{start.has_initial[0] ? start.syn_payload[0].size() : 0, 0};
  const auto first = start.initial;
  {
    session s{start, options, budget, std::make_unique<checker>(t)};
    while (in.size() > 0) {
      segment seg;
      seg.flags = in.u8();
      const auto how = in.u8();
      seg.from_b = (how & 1) != 0;
      const auto from = index(seg.from_b == start.client_is_a ? side::server : side::client);
      seg.sequence = first[from] + number(in);
      seg.acknowledgment = first[1 - from] + number(in);
      seg.window = in.u16();
      const auto payload = in.bytes(std::min<std::size_t>(in.u8(), in.size()));
      seg.data = payload.data();
      seg.captured = seg.length = static_cast<std::uint32_t>(payload.size());
      if ((how & 2) != 0) seg.length += in.u16();
      captured[from] += seg.captured;
      s.add(seg);
      if ((how & 4) != 0) s.relieve();
      require(budget.used() <= 2 * (options.stream.max_held + delivered_history::limit));
    }
    s.finish({});
  }
  require(t.ended && budget.used() == 0);
  for (const auto s : both_sides) {
    const auto& sum = t.summary[s];
    const auto i = index(s);
    require(sum.bytes == t.bytes[i]);
    require(sum.bytes + sum.skipped + sum.duplicate + sum.out_of_window == captured[i]);
    require(sum.missing == t.missing[i]);
    require(sum.conflicting <= sum.duplicate);
    require(sum.gaps.size() <= side_summary::max_gaps && sum.gaps.size() <= sum.gap_count);
  }
  return 0;
}
