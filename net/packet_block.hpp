/// A block: one buffer with many packets, and what the pipeline learned about them on the way.
/// Filled by a source, decoded by the capture actor, grouped by the dispatchers, read by sessions.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <weir/net/bytes.hpp>
#include <weir/net/link_type.hpp>
#include <weir/net/segment.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// One packet within a block.
struct packet {
  timestamp time;
  /// Where its bytes begin in the block's storage.
  std::uint32_t offset;
  /// Bytes in the block.
  std::uint32_t captured;
  /// Bytes on the wire; more than `captured` where a snapshot length cut it.
  std::uint32_t wire;
  link_type link;
};

/// What one dispatcher gets of a block: its flows' segments in wire order, written by the capture
/// actor, and their indexes grouped by session, written by the dispatcher.
struct block_shard {
  std::vector<segment> segments;
  std::vector<std::uint32_t> order;
};

class packet_block {
public:
  /// `capacity` in bytes; at least `max_packet`.
  explicit packet_block(std::size_t capacity);

  packet_block(const packet_block&) = delete;
  packet_block& operator=(const packet_block&) = delete;

  /// No source yields a packet longer than this: libpcap's and Wireshark's limit, beyond which a
  /// length field is taken for damage.
  static constexpr std::size_t max_packet = 262144;

  /// The whole buffer. Sources write packets' bytes anywhere in it and describe them in `packets`.
  std::span<std::byte> storage() noexcept { return {storage_.get(), capacity_}; }

  bytes_view bytes(const packet& p) const noexcept {
    return {storage_.get() + p.offset, p.captured};
  }

  /// Keeps bytes alive as long as the block's contents: reassembled datagrams that segments point
  /// to.
  void adopt(std::unique_ptr<std::byte[]> bytes) { adopted_.push_back(std::move(bytes)); }

  /// Forgets all contents, keeps the memory.
  void clear() noexcept;

  std::vector<packet> packets;
  std::vector<block_shard> shards;
  /// Encapsulations of this block's segments; `segment::encapsulation` counts from one.
  std::vector<encapsulation> encapsulations;
  /// The time up to which packets were seen: the latest packet's, or the clock's on a silent wire.
  timestamp now{};

private:
  std::unique_ptr<std::byte[]> storage_;
  std::size_t capacity_;
  std::vector<std::unique_ptr<std::byte[]>> adopted_;
};

} // namespace weir
