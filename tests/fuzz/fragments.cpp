// The table of fragments against what it must give back: each byte of a datagram is a function of
// its place, so a datagram without contradicting fragments is known. Input: a byte of options, then
// seven bytes a fragment.
#include <array>
#include <cstdint>
#include <cstdlib>

#include <weir/net/decode/fragments.hpp>

namespace {

using namespace weir;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::size_t pattern_size = 1 << 17;

const std::array<std::byte, pattern_size>& pattern() {
  static const auto bytes = [] {
    std::array<std::byte, pattern_size> all;
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = static_cast<std::byte>(i * 131 + i / 256 * 7);
    return all;
  }();
  return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cursor in{std::as_bytes(std::span{data, size})};
  const auto options = in.u8();
  const fragment_limits limits{.timeout = std::chrono::seconds{30},
                               .max_bytes = (options & 1) != 0 ? std::size_t{32} << 10 : 16 << 20,
                               .max_datagrams = (options & 2) != 0 ? 3u : 1000u};
  memory_budget budget{1 << 20};
  {
    fragment_table table{limits, budget};
    timestamp now{std::chrono::hours{1}};
    std::uint64_t completed = 0;
    std::uint64_t lies = 0;
    while (in && in.size() >= 7) {
      const auto who = in.u8();
      const auto what = in.u8();
      const std::uint32_t offset = in.u16();
      const std::size_t length = in.u16();
      now += std::chrono::seconds{static_cast<std::int8_t>(in.u8())};
      fragment f{.key = {},
                 .protocol = 6,
                 .offset = (what & 1) != 0 ? offset : offset / 8 * 8,
                 .more = (what & 2) != 0,
                 .cut = (what & 0x70) == 0x70,
                 .payload = {},
                 .time = now};
      f.key.id = who & 7;
      f.key.family = (who & 8) != 0 ? ip_family::v6 : ip_family::v4;
      const bool lie = (what & 0x0c) == 0x0c;
      lies += lie ? 1 : 0;
      f.payload = bytes_view{pattern()}.subspan(f.offset + (lie ? 1u : 0u), length);
      datagram d;
      const auto result = table.add(f, d);
      require(table.bytes() <= limits.max_bytes);
      require(table.bytes() == budget.used());
      require(table.pending() <= limits.max_datagrams);
      if (result == fragment_table::status::malformed) continue;
      require(f.offset % 8 == 0 && f.offset + length <= fragment_table::max_size);
      require((result == fragment_table::status::complete) == (d.bytes != nullptr));
      if (result != fragment_table::status::complete) continue;
      ++completed;
      require(d.size >= f.offset + length && d.size <= fragment_table::max_size);
      require(d.protocol == 6);
      if (lies == 0) require(std::memcmp(d.bytes.get(), pattern().data(), d.size) == 0);
    }
    require(table.counters().reassembled == completed);
  }
  require(budget.used() == 0);
  return 0;
}
