/// The pcapng format (draft-ietf-opsawg-pcapng).
#include <weir/net/capture/record_parser.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include <weir/net/capture/byte_order.hpp>
#include <weir/net/capture/tick_rate.hpp>

namespace weir {

namespace {

namespace block_type {
constexpr std::uint32_t section_header = 0x0a0d0d0a;
constexpr std::uint32_t interface_description = 1;
constexpr std::uint32_t obsolete_packet = 2;
constexpr std::uint32_t simple_packet = 3;
constexpr std::uint32_t enhanced_packet = 6;
} // namespace block_type

namespace option {
constexpr std::uint16_t end = 0;
constexpr std::uint16_t time_resolution = 9;
constexpr std::uint16_t time_offset = 14;
} // namespace option

/// Type and total length before the body, the total length again after it.
constexpr std::size_t block_header_size = 8;
constexpr std::size_t block_trailer_size = 4;
constexpr std::size_t smallest_block = block_header_size + block_trailer_size;

/// Bodies without their variable parts.
constexpr std::size_t section_body = 16;
constexpr std::size_t interface_body = 8;
constexpr std::size_t packet_body = 20;
constexpr std::size_t simple_packet_body = 4;

/// What a section may describe, and the longest description: far more than any capture has.
constexpr std::size_t max_interfaces = 65536;
constexpr std::size_t max_description = packet_block::max_packet;

struct interface {
  link_type link = link_type::ethernet;
  std::uint32_t snaplen = 0;
  tick_rate rate;
  std::int64_t offset = 0;
};

/// Reads block by block, each as head, packet bytes, the rest (padding, options, whole bodies of no
/// interest) and trailer, so that nothing but heads and packets need be in memory in one piece. A
/// packet counts as soon as its bytes are there, whatever its block's rest is like.
class pcapng_parser final : public record_parser {
public:
  tl::expected<std::size_t, std::string> parse(packet_block& block, std::size_t begin,
                                               std::size_t end) override {
    const std::byte* const data = block.storage().data();
    const auto position = [&, before = consumed_](std::size_t at) { return before + (at - begin); };
    auto at = begin;
    for (;;) {
      std::size_t step = 0;
      switch (part_) {
      case part::head: {
        record_start_ = position(at);
        const auto size = read_head({data + at, end - at});
        if (!size) return tl::unexpected(size.error());
        step = *size;
        break;
      }
      case part::packet:
        if (end - at < packet_.captured) break;
        packet_.offset = static_cast<std::uint32_t>(at);
        block.packets.push_back(packet_);
        at += packet_.captured;
        part_ = part::rest;
        [[fallthrough]];
      case part::rest:
        step = static_cast<std::size_t>(std::min<std::uint64_t>(end - at, rest_));
        rest_ -= step;
        if (rest_ == 0) {
          at += step;
          part_ = part::trailer;
          continue;
        }
        break;
      case part::trailer:
        if (end - at < block_trailer_size) break;
        if (!std::equal(length_.begin(), length_.end(), data + at))
          return tl::unexpected(std::string{"a block whose two lengths differ"});
        step = block_trailer_size;
        part_ = part::head;
        break;
      }
      if (step == 0) break;
      at += step;
    }
    consumed_ = position(at);
    return at;
  }

  bool between_records() const noexcept override { return part_ == part::head; }
  std::uint64_t record_start() const noexcept override { return record_start_; }

private:
  enum class part : std::uint8_t { head, packet, rest, trailer };
  /// Bytes taken, zero where more are needed first; or what is damaged.
  using taken = tl::expected<std::size_t, std::string>;

  taken read_head(bytes_view bytes) {
    if (bytes.size() < smallest_block) return 0;
    std::copy_n(bytes.begin() + 4, length_.size(), length_.begin());
    const auto type = order_.u32(bytes.data());
    // A section header's type reads the same in both byte orders; the order is in its body.
    if (type == block_type::section_header) return read_section(bytes);
    if (auto complaint = read_length(bytes); !complaint.empty())
      return tl::unexpected(std::move(complaint));
    switch (type) {
    case block_type::enhanced_packet: return read_packet(bytes, false);
    case block_type::obsolete_packet: return read_packet(bytes, true);
    case block_type::simple_packet: return read_simple_packet(bytes);
    case block_type::interface_description: return read_interface(bytes);
    default: return head(block_header_size, part::rest);
    }
  }

  /// Empty, or what is wrong. Lengths that forget the padding count as if they had it: some
  /// writers' do, and Wireshark reads them like this too.
  std::string read_length(bytes_view bytes) {
    const auto length = order_.u32(bytes.data() + 4);
    block_ = (std::uint64_t{length} + 3) / 4 * 4;
    return length < smallest_block ? fmt::format("a block of {} bytes", length) : std::string{};
  }

  /// The block's head is taken; what follows is `next`.
  std::size_t head(std::size_t size, part next, std::uint32_t packet_bytes = 0) noexcept {
    rest_ = block_ - size - packet_bytes - block_trailer_size;
    part_ = next;
    return size;
  }

  /// Whether the block has room for a body of this size.
  bool fits(std::uint64_t body) const noexcept { return smallest_block + body <= block_; }

  static taken too_small(std::string_view what) {
    return tl::unexpected(fmt::format("{} that is too small", what));
  }

  taken read_section(bytes_view bytes) {
    constexpr auto size = block_header_size + section_body;
    if (bytes.size() < size) return 0;
    constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
    const auto magic = byte_order{}.u32(bytes.data() + 8);
    if (magic != byte_order_magic && magic != __builtin_bswap32(byte_order_magic))
      return tl::unexpected(std::string{"a section without a byte order"});
    order_ = {magic != byte_order_magic};
    if (auto complaint = read_length(bytes); !complaint.empty())
      return tl::unexpected(std::move(complaint));
    if (!fits(section_body)) return too_small("a section header");
    if (const auto major = order_.u16(bytes.data() + 12); major != 1)
      return tl::unexpected(fmt::format("pcapng version {} is not known", major));
    // Its length is not needed: the next section begins with a header of its own.
    interfaces_.clear();
    return head(size, part::rest);
  }

  taken read_interface(bytes_view bytes) {
    if (!fits(interface_body)) return too_small("an interface description");
    if (block_ > max_description)
      return tl::unexpected(fmt::format("an interface description of {} bytes", block_));
    if (bytes.size() < block_) return 0;
    if (interfaces_.size() == max_interfaces)
      return tl::unexpected(fmt::format("more than {} interfaces", max_interfaces));
    const auto body =
        bytes.subspan(block_header_size, static_cast<std::size_t>(block_) - smallest_block);
    interface described;
    described.link = static_cast<link_type>(order_.u16(body.data()));
    described.snaplen = order_.u32(body.data() + 4);
    if (!read_options(cursor{body.subspan(interface_body)}, described))
      return tl::unexpected(std::string{"an interface description with a broken option"});
    interfaces_.push_back(described);
    return head(block_header_size + body.size(), part::rest);
  }

  /// False where an option does not fit.
  bool read_options(cursor options, interface& described) const noexcept {
    while (options.size() >= 4) {
      const auto head = options.bytes(4);
      const auto code = order_.u16(head.data());
      const std::size_t length = order_.u16(head.data() + 2);
      if (code == option::end) break;
      const auto value = options.bytes(length);
      if (!options) return false;
      // The last one's padding may be missing.
      options.skip(std::min((4 - length % 4) % 4, options.size()));
      if (code == option::time_resolution && length >= 1)
        described.rate = tick_rate{std::to_integer<std::uint8_t>(value[0])};
      if (code == option::time_offset && length >= 8)
        described.offset = static_cast<std::int64_t>(order_.u64(value.data()));
    }
    return true;
  }

  /// An Enhanced Packet Block or the Packet Block that it replaced, which has 16 bits of interface
  /// and 16 bits of drops in the place of 32 bits of interface.
  taken read_packet(bytes_view bytes, bool obsolete) {
    constexpr auto size = block_header_size + packet_body;
    if (!fits(packet_body)) return too_small("a packet block");
    if (bytes.size() < size) return 0;
    const auto* p = bytes.data() + block_header_size;
    const std::size_t id = obsolete ? order_.u16(p) : order_.u32(p);
    if (id >= interfaces_.size())
      return tl::unexpected(fmt::format("a packet of interface {}, which is not described", id));
    const auto& from = interfaces_[id];
    const auto ticks = std::uint64_t{order_.u32(p + 4)} << 32 | order_.u32(p + 8);
    packet_.time = from.rate.time(ticks, from.offset);
    return take_packet(size, from.link, order_.u32(p + 12), order_.u32(p + 16));
  }

  /// Has no time of its own: takes that of the packet before it.
  taken read_simple_packet(bytes_view bytes) {
    constexpr auto size = block_header_size + simple_packet_body;
    if (!fits(simple_packet_body)) return too_small("a packet block");
    if (interfaces_.empty())
      return tl::unexpected(std::string{"a packet of interface 0, which is not described"});
    const auto& from = interfaces_.front();
    const auto wire = order_.u32(bytes.data() + block_header_size);
    const auto captured = from.snaplen == 0 ? wire : std::min(wire, from.snaplen);
    return take_packet(size, from.link, captured, wire);
  }

  taken take_packet(std::size_t size, link_type link, std::uint32_t captured, std::uint32_t wire) {
    if (captured > packet_block::max_packet || captured > block_ - size - block_trailer_size)
      return tl::unexpected(
          fmt::format("a packet of {} bytes in a block of {} bytes", captured, block_));
    packet_.link = link;
    packet_.captured = captured;
    packet_.wire = std::max(wire, captured);
    return head(size, part::packet, captured);
  }

  byte_order order_;
  std::vector<interface> interfaces_;
  part part_ = part::head;
  /// Of the block that is being read: its length with padding, that length as it is in the file,
  /// and the bytes that are left before the trailer, behind the packet's.
  std::uint64_t block_ = 0;
  std::array<std::byte, block_trailer_size> length_{};
  std::uint64_t rest_ = 0;
  /// The packet whose head was read, but for its place in the block.
  packet packet_{};
  std::uint64_t consumed_ = 0;
  std::uint64_t record_start_ = 0;
};

} // namespace

std::unique_ptr<record_parser> recognise_pcapng(bytes_view magic) {
  constexpr std::byte own[magic_size] = {std::byte{0x0a}, std::byte{0x0d}, std::byte{0x0d},
                                         std::byte{0x0a}};
  if (!std::equal(magic.begin(), magic.end(), std::begin(own))) return nullptr;
  return std::make_unique<pcapng_parser>();
}

} // namespace weir
