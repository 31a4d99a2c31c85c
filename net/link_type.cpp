#include <weir/net/link_type.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace weir {

namespace {

struct entry {
  std::uint16_t value;
  std::string_view name;
};

// In rising order of value, for the binary search.
constexpr entry names[] = {
    {0, "NULL"},
    {1, "EN10MB"},
    {6, "IEEE802"},
    {7, "ARCNET"},
    {8, "SLIP"},
    {9, "PPP"},
    {10, "FDDI"},
    {12, "RAW"},
    {14, "RAW"},
    {50, "PPP_SERIAL"},
    {51, "PPP_ETHER"},
    {99, "SYMANTEC_FIREWALL"},
    {100, "ATM_RFC1483"},
    {101, "RAW"},
    {102, "SLIP_BSDOS"},
    {103, "PPP_BSDOS"},
    {104, "C_HDLC"},
    {105, "IEEE802_11"},
    {106, "ATM_CLIP"},
    {107, "FRELAY"},
    {108, "LOOP"},
    {109, "ENC"},
    {113, "LINUX_SLL"},
    {114, "LTALK"},
    {117, "PFLOG"},
    {119, "PRISM_HEADER"},
    {122, "IP_OVER_FC"},
    {123, "SUNATM"},
    {127, "IEEE802_11_RADIO"},
    {129, "ARCNET_LINUX"},
    {138, "APPLE_IP_OVER_IEEE1394"},
    {139, "MTP2_WITH_PHDR"},
    {140, "MTP2"},
    {141, "MTP3"},
    {142, "SCCP"},
    {143, "DOCSIS"},
    {144, "LINUX_IRDA"},
    {163, "IEEE802_11_RADIO_AVS"},
    {165, "BACNET_MS_TP"},
    {166, "PPP_PPPD"},
    {169, "GPRS_LLC"},
    {177, "LINUX_LAPD"},
    {178, "JUNIPER_ETHER"},
    {182, "MFR"},
    {186, "USB_FREEBSD"},
    {187, "BLUETOOTH_HCI_H4"},
    {189, "USB_LINUX"},
    {190, "CAN20B"},
    {191, "IEEE802_15_4_LINUX"},
    {192, "PPI"},
    {195, "IEEE802_15_4"},
    {197, "ERF"},
    {201, "BLUETOOTH_HCI_H4_WITH_PHDR"},
    {202, "AX25_KISS"},
    {219, "MPLS"},
    {220, "USB_LINUX_MMAPPED"},
    {221, "DECT"},
    {224, "FC_2"},
    {226, "IPNET"},
    {227, "CAN_SOCKETCAN"},
    {228, "IPV4"},
    {229, "IPV6"},
    {230, "IEEE802_15_4_NOFCS"},
    {231, "DBUS"},
    {235, "DVB_CI"},
    {239, "NFLOG"},
    {240, "NETANALYZER"},
    {242, "IPOIB"},
    {243, "MPEG_2_TS"},
    {246, "PFSYNC"},
    {247, "INFINIBAND"},
    {248, "SCTP"},
    {249, "USBPCAP"},
    {251, "BLUETOOTH_LE_LL"},
    {253, "NETLINK"},
    {254, "BLUETOOTH_LINUX_MONITOR"},
    {256, "BLUETOOTH_LE_LL_WITH_PHDR"},
    {257, "PROFIBUS_DL"},
    {258, "PKTAP"},
    {259, "EPON"},
    {266, "USB_DARWIN"},
    {267, "OPENFLOW"},
    {271, "VSOCK"},
    {272, "NORDIC_BLE"},
    {274, "ETHERNET_MPACKET"},
    {276, "LINUX_SLL2"},
    {280, "VPP_DISPATCH"},
    {283, "IEEE802_15_4_TAP"},
    {288, "USB_2_0"},
};

static_assert(std::ranges::is_sorted(names, {}, &entry::value));

} // namespace

std::string to_string(link_type type) {
  const auto value = static_cast<std::uint16_t>(type);
  const auto* found = std::ranges::lower_bound(names, value, {}, &entry::value);
  if (found != std::end(names) && found->value == value) return std::string{found->name};
  return "link type " + std::to_string(value);
}

} // namespace weir
