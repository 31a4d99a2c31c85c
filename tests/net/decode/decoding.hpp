/// A decoder with a block to fill, for the tests of this folder.
#pragma once

#include <vector>

#include <weir/net/decode/decoder.hpp>
#include <weir/tests/support/packets.hpp>

namespace weir::test {

class decoding {
public:
  explicit decoding(const decoder_options& options = {}) : decoder_(options, budget_) {}

  /// Decodes one packet; the segments that came of it.
  std::vector<segment> decode(const byte_vector& bytes, const packet_options& options = {}) {
    block_.clear();
    add_packet(block_, bytes, options);
    decoder_.decode(block_);
    std::vector<segment> all;
    for (const auto& shard : block_.shards)
      all.insert(all.end(), shard.segments.begin(), shard.segments.end());
    return all;
  }

  /// What the segment of the last packet is wrapped in.
  encapsulation wrapped(const segment& s) const {
    return s.encapsulation == 0 ? encapsulation{} : block_.encapsulations.at(s.encapsulation - 1u);
  }

  decoder_counters counters() const { return decoder_.counters(); }
  packet_block& block() { return block_; }
  weir::decoder& decoder() { return decoder_; }
  memory_budget& budget() { return budget_; }

private:
  memory_budget budget_{1 << 30};
  weir::decoder decoder_;
  packet_block block_{1 << 20};
};

inline std::uint64_t outcomes(const decoder_counters& c) {
  return c.tcp + c.not_tcp + c.fragments + c.malformed + c.unknown_link + c.bad_checksum;
}

} // namespace weir::test
