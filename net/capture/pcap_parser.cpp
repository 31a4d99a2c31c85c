/// The pcap format (draft-ietf-opsawg-pcap) with its variants.
#include <weir/net/capture/record_parser.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <weir/net/capture/byte_order.hpp>

namespace weir {

namespace {

constexpr std::size_t file_header_size = 24;
constexpr std::size_t record_header_size = 16;

struct variant {
  std::uint32_t magic;
  std::uint32_t nanoseconds_per_fraction;
  std::size_t record_header;
};

constexpr variant variants[] = {
    {0xa1b2c3d4, 1000, record_header_size},
    {0xa1b23c4d, 1, record_header_size},
    // Written by old patched versions of libpcap for Linux: each record header goes on with
    // interface index, protocol and packet type.
    {0xa1b2cd34, 1000, record_header_size + 8},
};

class pcap_parser final : public record_parser {
public:
  pcap_parser(const variant& v, byte_order order) : variant_(v), order_(order) {}

  tl::expected<std::size_t, std::string> parse(packet_block& block, std::size_t begin,
                                               std::size_t end) override {
    const std::byte* const data = block.storage().data();
    const auto position = [&, before = consumed_](std::size_t at) { return before + (at - begin); };
    auto at = begin;
    const auto stop = [&] {
      consumed_ = position(at);
      return at;
    };
    if (part_ == part::file_header) {
      if (end - at < file_header_size) return stop();
      read_file_header(data + at);
      at += file_header_size;
      part_ = part::record_header;
    }
    for (;;) {
      if (part_ == part::record_header) {
        record_start_ = position(at);
        if (end - at < variant_.record_header) return stop();
        if (!read_record_header(data + at))
          return tl::unexpected(fmt::format("a packet of {} bytes", stored_));
        at += variant_.record_header;
        part_ = part::packet;
      }
      if (end - at < stored_) return stop();
      packet_.offset = static_cast<std::uint32_t>(at);
      block.packets.push_back(packet_);
      at += stored_;
      part_ = part::record_header;
    }
  }

  bool between_records() const noexcept override { return part_ == part::record_header; }
  std::uint64_t record_start() const noexcept override { return record_start_; }

private:
  enum class part : std::uint8_t { file_header, record_header, packet };

  void read_file_header(const std::byte* p) noexcept {
    // The version decides nothing but this: before 2.4 the two lengths of a record may have changed
    // places. Newer versions than 2.4 do not exist.
    const auto major = order_.u16(p + 4);
    lengths_may_be_swapped_ = major < 2 || (major == 2 && order_.u16(p + 6) < 4);
    const auto network = order_.u32(p + 20);
    packet_.link = static_cast<link_type>(network & 0xffff);
    // The upper half may tell how many 16-bit words of frame check sequence end each packet. The
    // other bits there are reserved.
    constexpr std::uint32_t fcs_length_present = 0x04000000;
    if ((network & fcs_length_present) != 0) fcs_ = (network >> 28) * 2;
  }

  bool read_record_header(const std::byte* p) noexcept {
    const std::uint64_t seconds = order_.u32(p);
    const std::uint64_t fraction = order_.u32(p + 4);
    // At most (2^32 + 2^32 / 10^6) seconds, which is before latest_time, even where the fraction is
    // more than a second.
    packet_.time = timestamp{duration{static_cast<std::int64_t>(
        seconds * 1'000'000'000 + fraction * variant_.nanoseconds_per_fraction)}};
    stored_ = order_.u32(p + 8);
    auto wire = order_.u32(p + 12);
    if (lengths_may_be_swapped_ && stored_ > wire) std::swap(stored_, wire);
    // Writers that get the wire length wrong are many, and so are packets beyond the file's
    // snapshot length: neither is damage.
    wire = std::max(wire, stored_);
    packet_.wire = wire - std::min(fcs_, wire);
    packet_.captured = std::min(stored_, packet_.wire);
    return stored_ <= packet_block::max_packet;
  }

  variant variant_;
  byte_order order_;
  bool lengths_may_be_swapped_ = false;
  std::uint32_t fcs_ = 0;
  part part_ = part::file_header;
  /// The packet whose header was read, but for its place in the block, and its bytes in the file.
  packet packet_{};
  std::uint32_t stored_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t record_start_ = 0;
};

} // namespace

std::unique_ptr<record_parser> recognise_pcap(bytes_view magic) {
  for (const auto& v : variants)
    for (const bool swapped : {false, true}) {
      const byte_order order{swapped};
      std::byte own[magic_size];
      std::memcpy(own, &v.magic, sizeof own);
      if (swapped) std::reverse(std::begin(own), std::end(own));
      if (std::equal(magic.begin(), magic.end(), std::begin(own)))
        return std::make_unique<pcap_parser>(v, order);
    }
  return nullptr;
}

} // namespace weir
