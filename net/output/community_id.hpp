/// Community ID v1: a flow's name that Zeek, Suricata, Wireshark and others agree on
/// (https://github.com/corelight/community-id-spec), with the default seed 0.
#pragma once

#include <cstdint>
#include <string>

#include <weir/net/address.hpp>

namespace weir {

/// Appends `1:` and 28 characters of base64. The same for both directions. For protocols with ports
/// (TCP 6, UDP 17, SCTP 132). Appends nothing where the system's OpenSSL does not offer SHA-1.
void append_community_id(const endpoint& a, const endpoint& b, std::uint8_t protocol,
                         std::string& out);

} // namespace weir
