/// Counts packets that are not TCP by what they are. Cheap for each packet, and bounded whatever
/// the packets claim to be; names are made when someone asks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace weir {

/// Where a protocol's number comes from.
enum class protocol_space : std::uint8_t {
  ip,
  ethertype,
  ppp,
  llc,
  snap,
  address_family,
  link,
  wireless,
};

/// Numbers of protocol_space::wireless: IEEE 802.11 frames with nothing to decode in them.
enum class wireless_frame : std::uint16_t {
  management,
  control,
  /// Data frames that only tell a station's state.
  null,
  encrypted,
  /// Part of a frame that was cut into several.
  fragment,
  /// Received with a wrong checksum, says who captured it.
  damaged,
  /// Of a type or version that is none of these.
  other,
};

struct protocol_id {
  protocol_space space = protocol_space::ip;
  std::uint16_t number = 0;

  bool operator==(const protocol_id&) const = default;
};

/// `udp`, `arp`, or the space and the number: `ip protocol 253`, `ethertype 0x88cc`.
std::string to_string(protocol_id id);

class protocol_counts {
public:
  /// Names beyond the 256 IP protocols; the rest counts as "other".
  static constexpr std::size_t max_others = 64;

  void add(protocol_id id) noexcept;

  std::map<std::string, std::uint64_t> by_name() const;

private:
  struct slot {
    protocol_id id;
    std::uint64_t packets = 0;
  };

  std::array<std::uint64_t, 256> ip_{};
  /// A hash table with linear probing, never emptied: a slot without packets is free.
  std::array<slot, max_others> others_{};
  std::uint64_t rest_ = 0;
};

} // namespace weir
