/// IEEE 802.11 data frames, and the headers that capture systems put in front of them.
#include <weir/net/decode/packet_walk.hpp>

namespace weir {
namespace {

// 802.11, radiotap and PPI are little-endian.
std::uint16_t little_u16(cursor& in) noexcept { return __builtin_bswap16(in.u16()); }
std::uint32_t little_u32(cursor& in) noexcept { return __builtin_bswap32(in.u32()); }

/// Bytes from `n` to the next multiple.
std::size_t padding(std::size_t n, std::size_t multiple) noexcept {
  return (multiple - n % multiple) % multiple;
}

// Frame control (IEEE 802.11-2020 9.2.4.1): version, type and subtype are the first byte.
constexpr std::uint8_t version_mask = 0x03;
constexpr std::uint8_t type_mask = 0x0c;
constexpr std::uint8_t management_type = 0x00;
constexpr std::uint8_t control_type = 0x04;
constexpr std::uint8_t data_type = 0x08;
// Of data frames, subtypes are made of flags (table 9-1).
constexpr std::uint8_t without_data = 0x40;
constexpr std::uint8_t with_qos = 0x80;

constexpr std::uint8_t to_and_from_ds = 0x03;
constexpr std::uint8_t more_fragments = 0x04;
constexpr std::uint8_t is_protected = 0x40;
constexpr std::uint8_t with_ht_control = 0x80;

} // namespace

/// IEEE 802.11-2020 9.3.2.1. Addresses mean nothing here, but their number depends on where the
/// frame goes. `body_aligned`: the header was padded to a multiple of four bytes.
packet_walk::layer packet_walk::wlan(bool body_aligned) noexcept {
  const auto before = in_.size();
  const auto control = in_.u8();
  const auto flags = in_.u8();
  if (!in_) return malformed();
  if ((control & version_mask) != 0) return other(wireless_frame::other);
  switch (control & type_mask) {
  case management_type: return other(wireless_frame::management);
  case control_type: return other(wireless_frame::control);
  case data_type: break;
  default: return other(wireless_frame::other);
  }
  constexpr std::size_t duration_and_addresses = 20;
  constexpr std::size_t fourth_address = 6;
  constexpr std::size_t ht_control = 4;
  constexpr std::uint8_t fragment_number = 0x0f;
  constexpr std::uint8_t aggregate = 0x80;
  in_.skip(duration_and_addresses);
  const bool later_fragment = (in_.u8() & fragment_number) != 0;
  in_.skip(1);
  if ((flags & to_and_from_ds) == to_and_from_ds) in_.skip(fourth_address);
  std::uint8_t qos = 0;
  if ((control & with_qos) != 0) {
    qos = in_.u8();
    in_.skip(1);
    // Without QoS this flag is about the order of frames (9.2.4.1.10).
    if ((flags & with_ht_control) != 0) in_.skip(ht_control);
  }
  if (!in_) return malformed();
  if ((control & without_data) != 0) return other(wireless_frame::null);
  if ((flags & is_protected) != 0) return other(wireless_frame::encrypted);
  if (later_fragment || (flags & more_fragments) != 0) return other(wireless_frame::fragment);
  if (body_aligned && !in_.skip(padding(before - in_.size(), 4))) return malformed();
  return (qos & aggregate) != 0 ? layer::wlan_subframe : layer::llc;
}

/// One of an A-MSDU's packets (IEEE 802.11-2020 9.3.2.2.2); all but the last are padded to a
/// multiple of four bytes. Less than a header behind them is the frame's checksum.
packet_walk::layer packet_walk::wlan_subframe() {
  constexpr std::size_t header = 14;
  in_.skip(header - 2);
  const auto length = in_.u16();
  if (!in_) return malformed();
  auto behind = in_;
  behind.skip(length + padding(header + length, 4));
  if (behind.size() >= header)
    forks_.push_back(
        {.in = behind, .missing = missing_, .layers_left = layers_left_, .path = path_.here()});
  bound(length);
  return layer::llc;
}

/// https://www.radiotap.org. Of its fields only the flags matter; they come second, behind a time
/// of eight bytes that is aligned to eight.
packet_walk::layer packet_walk::radiotap() noexcept {
  const auto length = __builtin_bswap16(in_.peek_u16(2));
  cursor header{in_.bytes(length)};
  const auto version = header.u8();
  header.skip(3);
  const auto present = little_u32(header);
  constexpr std::uint32_t has_time = 0x00000001;
  constexpr std::uint32_t has_flags = 0x00000002;
  constexpr std::uint32_t has_more_words = 0x80000000;
  for (auto word = present; (word & has_more_words) != 0;)
    word = little_u32(header);
  if ((present & has_time) != 0) header.skip(padding(length - header.size(), 8) + 8);
  const auto flags = (present & has_flags) != 0 ? header.u8() : std::uint8_t{0};
  if (!in_ || !header || version != 0) return malformed();
  constexpr std::uint8_t padded = 0x20;
  constexpr std::uint8_t bad_checksum = 0x40;
  if ((flags & bad_checksum) != 0) return other(wireless_frame::damaged);
  return (flags & padded) != 0 ? layer::wlan_aligned : layer::wlan;
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_IEEE802_11_PRISM.html; some drivers have AVS headers
/// instead.
packet_walk::layer packet_walk::prism() noexcept {
  constexpr std::uint16_t avs_magic = 0x8021;
  constexpr std::uint16_t avs_version_mask = 0xf000;
  constexpr std::uint16_t avs_magic_rest = 0x1000;
  if (in_.peek_u16() == avs_magic && (in_.peek_u16(2) & avs_version_mask) == avs_magic_rest)
    return layer::avs;
  constexpr std::size_t header = 144;
  return in_.skip(header) ? layer::wlan : malformed();
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_IEEE802_11_AVS.html: a magic number and the header's
/// length, big-endian.
packet_walk::layer packet_walk::avs() noexcept {
  constexpr std::size_t fixed = 8;
  in_.skip(4);
  const std::size_t length = in_.u32();
  if (!in_ || length < fixed || !in_.skip(length - fixed)) return malformed();
  return layer::wlan;
}

/// https://www.tcpdump.org/linktypes/LINKTYPE_PPI.html: any other link type, which it names.
packet_walk::layer packet_walk::ppi() noexcept {
  constexpr std::size_t fixed = 8;
  const auto version = in_.u8();
  in_.skip(1);
  const auto length = little_u16(in_);
  const auto link = little_u32(in_);
  if (!in_ || version != 0 || length < fixed || !in_.skip(length - fixed)) return malformed();
  return link <= 0xffff ? first(static_cast<link_type>(link)) : malformed();
}

} // namespace weir
