#include <weir/net/link_type.hpp>

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(link_type, has_the_name_that_libpcap_knows) {
  EXPECT_EQ(to_string(link_type::null), "NULL");
  EXPECT_EQ(to_string(link_type::ethernet), "EN10MB");
  EXPECT_EQ(to_string(link_type::ppp), "PPP");
  EXPECT_EQ(to_string(link_type::ppp_serial), "PPP_SERIAL");
  EXPECT_EQ(to_string(link_type::loop), "LOOP");
  EXPECT_EQ(to_string(link_type::linux_sll), "LINUX_SLL");
  EXPECT_EQ(to_string(link_type::linux_sll2), "LINUX_SLL2");
  EXPECT_EQ(to_string(link_type::ipv4), "IPV4");
  EXPECT_EQ(to_string(link_type::ipv6), "IPV6");
  EXPECT_EQ(to_string(link_type::nflog), "NFLOG");
  EXPECT_EQ(to_string(link_type{105}), "IEEE802_11");
  EXPECT_EQ(to_string(link_type{127}), "IEEE802_11_RADIO");
  EXPECT_EQ(to_string(link_type{189}), "USB_LINUX");
}

TEST(link_type, calls_all_numbers_of_raw_ip_raw) {
  for (const auto type : {link_type::raw_12, link_type::raw_14, link_type::raw})
    EXPECT_EQ(to_string(type), "RAW");
}

TEST(link_type, shows_the_number_where_there_is_no_name) {
  EXPECT_EQ(to_string(link_type{147}), "link type 147");
  EXPECT_EQ(to_string(link_type{65535}), "link type 65535");
}

} // namespace
} // namespace weir
