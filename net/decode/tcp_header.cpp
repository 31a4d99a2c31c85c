/// The end of the way: a TCP header becomes a segment.
#include <weir/net/decode/checksum.hpp>
#include <weir/net/decode/packet_walk.hpp>

#include <algorithm>

namespace weir {
namespace {

constexpr std::size_t tcp_header = 20;
constexpr std::uint8_t protocol_tcp = 6;

/// RFC 7323 2.2, 2.3; a malformed list of options ends where it is malformed.
std::uint8_t window_scale(cursor options) noexcept {
  constexpr std::uint8_t end = 0;
  constexpr std::uint8_t no_operation = 1;
  constexpr std::uint8_t scale = 3;
  constexpr std::uint8_t max_scale = 14;
  while (options && options.size() != 0) {
    const auto kind = options.u8();
    if (kind == end) break;
    if (kind == no_operation) continue;
    const auto length = options.u8();
    if (length < 2) break;
    const auto value = options.bytes(length - 2u);
    if (options && kind == scale && value.size() == 1)
      return std::min(std::to_integer<std::uint8_t>(value[0]), max_scale);
  }
  return segment::no_scale;
}

/// Fills in the addresses in their fixed order; true where b is the source. `port_order` decides
/// between equal addresses.
template<std::size_t Size>
bool sort_ends(flow_key& key, const std::byte* source, const std::byte* destination,
               bool port_order) noexcept {
  const auto order = std::memcmp(source, destination, Size);
  const bool from_b = order > 0 || (order == 0 && port_order);
  std::memcpy(key.address_a.data(), from_b ? destination : source, Size);
  std::memcpy(key.address_b.data(), from_b ? source : destination, Size);
  return from_b;
}

} // namespace

/// RFC 9293 3.1.
packet_walk::layer packet_walk::tcp() {
  const auto whole = in_.rest();
  const auto h = in_.bytes(tcp_header);
  if (!in_) return malformed();
  const auto header = std::to_integer<std::size_t>(h[12] >> 4) * 4;
  if (header < tcp_header) return malformed();
  const auto options = in_.bytes(header - tcp_header);
  if (!in_) return malformed();
  // What was cut cannot be verified.
  if (verify_checksums_ && missing_ == 0 && !tcp_checksum_ok(whole))
    return finish(outcome::bad_checksum);

  const auto source_port = load_be16(&h[0]);
  const auto destination_port = load_be16(&h[2]);
  flow_key key;
  const bool from_b =
      ends_.family == ip_family::v4
          ? sort_ends<4>(key, ends_.source, ends_.destination, source_port > destination_port)
          : sort_ends<16>(key, ends_.source, ends_.destination, source_port > destination_port);
  key.port_a = from_b ? destination_port : source_port;
  key.port_b = from_b ? source_port : destination_port;
  key.context = path_.context();
  key.family = ends_.family;

  // The high half chooses the shard, so that the low bits stay independent for hash tables.
  const auto flow_hash = hash(key, seed_);
  const auto shard = static_cast<std::size_t>((flow_hash >> 32) * shards_ >> 32);
  auto& s = block_->shards[shard].segments.emplace_back();
  s.key = key;
  s.from_b = from_b;
  s.flags = std::to_integer<std::uint8_t>(h[13]);
  s.window = load_be16(&h[14]);
  if (s.has(tcp_flag::syn)) s.window_scale = window_scale(cursor{options});
  if (!path_.empty()) s.encapsulation = encapsulations_.find(path_, *block_);
  s.sequence = load_be32(&h[4]);
  s.acknowledgment = load_be32(&h[8]);
  s.captured = static_cast<std::uint32_t>(in_.size());
  s.length = static_cast<std::uint32_t>(wire_size());
  s.data = in_.rest().data();
  s.time = time_;
  s.flow_hash = flow_hash;
  return finish(outcome::tcp);
}

/// With the pseudo header of RFC 9293 3.1 or RFC 8200 8.1.
bool packet_walk::tcp_checksum_ok(bytes_view segment_bytes) const noexcept {
  const auto size = ends_.family == ip_family::v4 ? std::size_t{4} : std::size_t{16};
  checksum sum;
  sum.add({ends_.source, size});
  sum.add({ends_.destination, size});
  sum.add(protocol_tcp);
  sum.add(static_cast<std::uint32_t>(segment_bytes.size()));
  sum.add(segment_bytes);
  return sum.ok();
}

} // namespace weir
