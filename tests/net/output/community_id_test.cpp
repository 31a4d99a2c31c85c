#include <weir/net/output/community_id.hpp>

#include "session_samples.hpp"

namespace weir::test {
namespace {

std::string community_id(const endpoint& a, const endpoint& b, std::uint8_t protocol = 6) {
  std::string out;
  append_community_id(a, b, protocol, out);
  return out;
}

struct vector {
  const char* source;
  std::uint16_t source_port;
  const char* destination;
  std::uint16_t destination_port;
  std::uint8_t protocol;
  const char* expected;
};

// From the specification's baseline.
constexpr vector published[] = {
    {"128.232.110.120", 34855, "66.35.250.204", 80, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {"192.168.1.52", 54585, "8.8.8.8", 53, 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {"2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, 6,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    {"192.168.170.8", 7, "192.168.170.56", 7, 132, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
};

TEST(community_id, agrees_with_the_published_vectors_in_both_directions) {
  for (const auto& v : published) {
    const endpoint source{address(v.source), v.source_port};
    const endpoint destination{address(v.destination), v.destination_port};
    EXPECT_EQ(community_id(source, destination, v.protocol), v.expected);
    EXPECT_EQ(community_id(destination, source, v.protocol), v.expected);
  }
}

TEST(community_id, orders_by_port_where_the_addresses_are_equal) {
  const endpoint low{address("127.0.0.1"), 80};
  const endpoint high{address("127.0.0.1"), 40000};
  EXPECT_EQ(community_id(low, high), community_id(high, low));
  EXPECT_NE(community_id(low, high), community_id(low, low));
}

TEST(community_id, is_appended) {
  std::string out = "x";
  append_community_id({address("192.0.2.1"), 1}, {address("192.0.2.2"), 2}, 6, out);
  EXPECT_EQ(out.substr(0, 3), "x1:");
  EXPECT_EQ(out.size(), 1U + 2 + 28);
}

} // namespace
} // namespace weir::test
