/// Link types as capture files number them (https://www.tcpdump.org/linktypes.html).
#pragma once

#include <cstdint>
#include <string>

namespace weir {

/// A LINKTYPE_ value; any other 16-bit number may occur and is carried as it is. RAW has two more
/// numbers, 12 and 14, because the DLT_ value differed between systems and leaked into files.
enum class link_type : std::uint16_t {
  null = 0,
  ethernet = 1,
  ppp = 9,
  fddi = 10,
  raw_12 = 12,
  raw_14 = 14,
  ppp_serial = 50,
  ppp_ether = 51,
  raw = 101,
  cisco_hdlc = 104,
  ieee802_11 = 105,
  loop = 108,
  linux_sll = 113,
  prism = 119,
  ieee802_11_radiotap = 127,
  ieee802_11_avs = 163,
  ppi = 192,
  ipv4 = 228,
  ipv6 = 229,
  nflog = 239,
  linux_sll2 = 276,
};

/// The name that libpcap knows it by (`EN10MB`), or `link type 147`.
std::string to_string(link_type type);

} // namespace weir
