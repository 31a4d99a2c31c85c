#include <gtest/gtest.h>

#include <weir/tests/net/decode/decoding.hpp>

namespace weir::test {
namespace {

byte_vector with_flipped_last_bit(byte_vector bytes) {
  bytes.back() ^= std::byte{1};
  return bytes;
}

const std::vector<network>& examples() {
  static const std::vector<network> all{
      ipv4({}, tcp({}, "even")),
      ipv4({}, tcp({}, "odd")),
      ipv4({.options = raw({1, 1, 1})}, tcp({.options = raw({1, 1, 1})}, "with options")),
      ipv6({}, tcp({}, "even")),
      ipv6({}, tcp({}, "odd")),
      ipv6({}, hop_by_hop(destination_options(tcp({}, "headers")))),
      ipv6({}, routing_type0(1, {"2001:db8::8", "2001:db8::9"}, tcp({}, "on its way"))),
      ipv6({}, routing_type0(0, {"2001:db8::8"}, tcp({}, "arrived"))),
      ipv6({}, home_address("2001:db8::42", tcp({}, "from home"))),
      ipv4({}, authentication_header(tcp({}, "signed"))),
  };
  return all;
}

TEST(checksums, are_accepted_when_right) {
  for (const auto& n : examples()) {
    decoding d{{.verify_checksums = true}};
    EXPECT_EQ(d.decode(ethernet(n)).size(), 1u);
    EXPECT_EQ(d.counters().tcp, 1u);
  }
}

TEST(checksums, are_rejected_when_wrong) {
  for (const auto& n : examples()) {
    decoding d{{.verify_checksums = true}};
    EXPECT_TRUE(d.decode(with_flipped_last_bit(ethernet(n))).empty());
    EXPECT_EQ(d.counters().bad_checksum, 1u);
    EXPECT_EQ(outcomes(d.counters()), 1u);
  }
}

TEST(checksums, are_not_looked_at_unless_asked) {
  for (const auto& n : examples()) {
    decoding d;
    EXPECT_EQ(d.decode(with_flipped_last_bit(ethernet(n))).size(), 1u);
  }
}

TEST(checksums, of_ipv4_headers_are_verified_too) {
  auto frame = ethernet(ipv4({}, tcp({})));
  frame[14 + 8] ^= std::byte{1}; // the time to live is in no other checksum
  decoding strict{{.verify_checksums = true}};
  EXPECT_TRUE(strict.decode(frame).empty());
  EXPECT_EQ(strict.counters().bad_checksum, 1u);
  decoding tolerant;
  EXPECT_EQ(tolerant.decode(frame).size(), 1u);
}

TEST(checksums, of_a_cut_segment_cannot_be_verified) {
  const auto frame = with_flipped_last_bit(ethernet(ipv4({}, tcp({}, "payload"))));
  decoding d{{.verify_checksums = true}};
  EXPECT_EQ(d.decode(frame, {.captured = frame.size() - 1}).size(), 1u);
}

TEST(checksums, of_a_fragmented_segment_cover_the_whole) {
  const std::string text(100, 'x');
  for (const bool good : {true, false}) {
    decoding d{{.verify_checksums = true}};
    std::size_t found = 0;
    for (const auto& part : ipv4_fragments({}, tcp({}, text), 48)) {
      auto frame = ethernet(part);
      // Payload bytes: the IP headers' own checksums stay right.
      if (!good) frame.back() ^= std::byte{1};
      found += d.decode(frame).size();
    }
    EXPECT_EQ(found, good ? 1u : 0u);
    EXPECT_EQ(d.counters().bad_checksum, good ? 0u : 1u);
  }
}

TEST(ends, of_a_connection_are_the_ones_in_its_checksum) {
  decoding d;
  auto found =
      d.decode(ethernet(ipv6({}, routing_type0(1, {"2001:db8::8", "2001:db8::9"}, tcp({})))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(found[0].key.b().address), "2001:db8::9");
  found = d.decode(ethernet(ipv6({}, home_address("2001:db8::42", tcp({})))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(found[0].key.b().address), "2001:db8::42");
  // More segments left than there are addresses: not a route.
  found = d.decode(ethernet(ipv6({}, routing_type0(3, {"2001:db8::8", "2001:db8::9"}, tcp({})))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(found[0].key.b().address), "2001:db8::7");
}

} // namespace
} // namespace weir::test
