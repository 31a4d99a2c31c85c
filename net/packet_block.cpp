#include <weir/net/packet_block.hpp>

#include <algorithm>

namespace weir {

packet_block::packet_block(std::size_t capacity)
    : storage_(new std::byte[std::max(capacity, max_packet)]),
      capacity_(std::max(capacity, max_packet)) {}

void packet_block::clear() noexcept {
  packets.clear();
  for (auto& shard : shards) {
    shard.segments.clear();
    shard.order.clear();
  }
  encapsulations.clear();
  adopted_.clear();
}

} // namespace weir
