// The decoder on packets of any bytes. Input: one byte of options, then packets, each with its
// length in two bytes (big-endian), a byte for its time, and its bytes; the last may be cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <weir/net/decode/decoder.hpp>

namespace {

using namespace weir;

constexpr link_type links[] = {
    link_type::ethernet,   link_type::raw,
    link_type::null,       link_type::loop,
    link_type::ppp,        link_type::linux_sll,
    link_type::linux_sll2, link_type::ppp_serial,
    link_type::nflog,      link_type::fddi,
    link_type::cisco_hdlc, link_type::ppp_ether,
    link_type::ieee802_11, link_type::ieee802_11_radiotap,
    link_type::prism,      link_type::ieee802_11_avs,
    link_type::ppi,
};

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const packet_block& block, const decoder_counters& c) {
  require(c.tcp + c.not_tcp + c.fragments + c.malformed + c.unknown_link + c.bad_checksum
          == block.packets.size());
  std::uint64_t segments = 0;
  volatile std::uint8_t sink = 0;
  for (const auto& shard : block.shards) {
    segments += shard.segments.size();
    for (const auto& s : shard.segments) {
      require(s.captured <= s.length);
      require(s.length <= packet_block::max_packet);
      require(s.key.a() <= s.key.b());
      require(s.encapsulation <= block.encapsulations.size());
      for (const auto b : s.payload())
        sink = sink ^ std::to_integer<std::uint8_t>(b);
    }
  }
  // A packet may aggregate several.
  require(segments >= c.tcp);
  require((segments == 0) == (c.tcp == 0));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static packet_block block{packet_block::max_packet};
  block.clear();
  cursor in{std::as_bytes(std::span{data, size})};
  const auto flags = in.u8();
  timestamp now{};
  auto storage = block.storage();
  std::uint32_t used = 0;
  while (in && in.size() > 3) {
    const std::uint32_t length = in.u16();
    now += std::chrono::seconds{static_cast<std::int8_t>(in.u8())};
    const auto bytes = in.bytes(std::min<std::size_t>(length & 0x3fff, in.size()));
    if (used + bytes.size() > storage.size()) break;
    std::copy(bytes.begin(), bytes.end(), storage.begin() + used);
    const auto captured = static_cast<std::uint32_t>(bytes.size());
    block.packets.push_back({.time = std::clamp(now, timestamp{}, latest_time),
                             .offset = used,
                             .captured = captured,
                             // The upper bits of the length make some packets cut ones.
                             .wire = captured + (length >> 14) * 64,
                             .link = links[(flags >> 2) % std::size(links)]});
    used += captured;
  }
  memory_budget budget{1 << 20};
  {
    decoder d{{.verify_checksums = (flags & 1) != 0,
               .shards = (flags & 2) != 0 ? 3u : 1u,
               .max_fragment_bytes = 64 << 10},
              budget};
    d.decode(block);
    check(block, d.counters());
    require(budget.used() <= 64 << 10);
  }
  require(budget.used() == 0);
  return 0;
}
