/// IEEE 802.11 frames for tests, and the headers of capture systems in front of them. They nest
/// like the other packets:
///
///     auto frame = radiotap(wlan({.qos = 0}, ipv4({}, tcp({}, "text"))));
#pragma once

#include <weir/tests/support/packets.hpp>

namespace weir::test {

/// Flags of a frame control field's second byte (IEEE 802.11-2020 9.2.4.1).
namespace wlan_flag {
inline constexpr std::uint8_t to_ds = 0x01;
inline constexpr std::uint8_t from_ds = 0x02;
inline constexpr std::uint8_t more_fragments = 0x04;
inline constexpr std::uint8_t is_protected = 0x40;
inline constexpr std::uint8_t order = 0x80;
} // namespace wlan_flag

struct wlan_fields {
  /// Version, type and subtype but for the QoS bit: data.
  std::uint8_t control = 0x08;
  std::uint8_t flags = wlan_flag::from_ds;
  std::uint8_t fragment_number = 0;
  /// Low byte of the QoS control field, where there is one.
  std::optional<std::uint8_t> qos = {};
  /// Pads the header to a multiple of four, as some interfaces do.
  bool aligned = false;
};

/// With LLC and SNAP.
byte_vector wlan(const wlan_fields& fields, const network& inner);

/// A-MSDU: a QoS frame with many packets (IEEE 802.11-2020 9.3.2.2.2).
byte_vector wlan_aggregate(const std::vector<network>& packets);

struct radiotap_fields {
  std::optional<std::uint8_t> flags = {};
  /// With a time stamp, which comes before the flags.
  bool time = false;
  /// Words of presence bits after the first.
  std::size_t more_words = 0;
};

byte_vector radiotap(const radiotap_fields& fields, const byte_vector& frame);
byte_vector prism(const byte_vector& frame);
byte_vector avs(const byte_vector& frame, std::uint8_t version = 1);
/// `link` is that of the frame.
byte_vector ppi(link_type link, const byte_vector& frame);

} // namespace weir::test
