/// From a packet to its transport payload: link layers, VLANs, MPLS, PPP, IPv4 and IPv6 with all
/// their headers, reassembled fragments, tunnels. The fast path: it decodes no more than what
/// reassembly needs and allocates nothing per packet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <weir/net/memory_budget.hpp>
#include <weir/net/packet_block.hpp>
#include <weir/net/segment.hpp>
#include <weir/net/time.hpp>

namespace weir {

struct decoder_options {
  /// Reject TCP segments (and IPv4 headers) whose checksum is wrong. Off by default, because a host
  /// that offloads checksums captures its own packets without them.
  bool verify_checksums = false;
  /// Dispatchers that a block's segments are spread over.
  std::size_t shards = 1;
  /// Headers of one packet, tunnels included, beyond which it is given up.
  std::size_t max_layers = 32;
  /// Fragments of a datagram that does not complete are forgotten after this time of packets.
  duration fragment_timeout = std::chrono::seconds{30};
  /// Memory for incomplete datagrams; the oldest go first.
  std::size_t max_fragment_bytes = 16 << 20;
};

/// What became of the packets. Every packet seen adds to exactly one of the first group.
struct decoder_counters {
  std::uint64_t tcp = 0;
  /// Well-formed, but not TCP.
  std::uint64_t not_tcp = 0;
  /// Fragments that were kept, or completed a datagram that was not TCP.
  std::uint64_t fragments = 0;
  /// A header is cut or contradicts itself.
  std::uint64_t malformed = 0;
  /// Of a link type that weir does not decode.
  std::uint64_t unknown_link = 0;
  /// Rejected by --verify-checksums.
  std::uint64_t bad_checksum = 0;

  std::uint64_t datagrams_reassembled = 0;
  /// Timed out, evicted, with overlapping fragments (IPv6), or cut by a snapshot length.
  std::uint64_t datagrams_given_up = 0;
  /// Waiting for more fragments.
  std::uint64_t datagrams_pending = 0;
  std::uint64_t fragments_overlapping = 0;

  /// Packets in `not_tcp` and `unknown_link` by what they are: "udp", "arp", "ethertype 0x88cc",
  /// "ip protocol 253", "link type 147". A bounded number of names; the rest counts as "other".
  std::map<std::string, std::uint64_t> other_protocols;
};

class decoder {
public:
  decoder(decoder_options options, memory_budget& budget);
  ~decoder();

  /// Decodes all packets of a block into its shards' segments (block.shards is sized to
  /// `options.shards`), choosing the shard by flow hash.
  void decode(packet_block& block);

  /// As of now; makes the names, so not for each packet.
  decoder_counters counters() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace weir
