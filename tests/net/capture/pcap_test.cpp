#include <weir/tests/net/capture/reading.hpp>

#include <array>

namespace weir::test {
namespace {

using namespace std::chrono_literals;

const timestamp noon{1'700'000'000s + 123'456'789ns};
const timestamp noon_us{1'700'000'000s + 123'456us};

class pcap_variant : public testing::TestWithParam<pcap_format> {};

TEST_P(pcap_variant, gives_all_packets_with_time_lengths_and_link_type) {
  const auto time = GetParam().nanoseconds ? noon : noon_us;
  const auto packets = packets_of(pcap_file{GetParam()}
                                      .add(time, "first")
                                      .add(time + 1s, "", 0)
                                      .add(time + 2s, "cut", 1500)
                                      .bytes());
  const std::vector<read_packet> expected{{time, link_type::linux_sll2, 5, "first"},
                                          {time + 1s, link_type::linux_sll2, 0, ""},
                                          {time + 2s, link_type::linux_sll2, 1500, "cut"}};
  EXPECT_EQ(packets, expected);
}

constexpr auto variant(bool nanoseconds, bool swapped, bool patched) {
  return pcap_format{.nanoseconds = nanoseconds,
                     .swapped = swapped,
                     .patched = patched,
                     .link = link_type::linux_sll2};
}

INSTANTIATE_TEST_SUITE_P(all, pcap_variant,
                         testing::Values(variant(false, false, false), variant(false, true, false),
                                         variant(true, false, false), variant(true, true, false),
                                         variant(false, false, true), variant(false, true, true)));

TEST(pcap, with_only_a_header_has_no_packets) {
  EXPECT_TRUE(packets_of(pcap_file{}.bytes()).empty());
}

TEST(pcap, of_no_bytes_at_all_has_no_packets) { EXPECT_TRUE(packets_of({}).empty()); }

TEST(pcap, may_hold_packets_beyond_its_snapshot_length) {
  const auto packets = packets_of(pcap_file{{.snaplen = 4}}.add(noon_us, "longer").bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].bytes, "longer");
}

TEST(pcap, has_a_wire_length_of_at_least_the_captured_one) {
  const auto packets = packets_of(pcap_file{}.add(noon_us, "longer", 2).bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].wire, 6U);
}

TEST(pcap, of_an_old_version_may_have_its_lengths_exchanged) {
  const auto file = [](std::uint16_t minor) {
    return pcap_file{{.minor = minor}}
        .add({.captured = 1500, .wire = 3}, "cut")
        .add({.captured = 3, .wire = 1500}, "cut");
  };
  const auto packets = packets_of(file(3).bytes());
  ASSERT_EQ(packets.size(), 2U);
  for (const auto& p : packets) {
    EXPECT_EQ(p.bytes, "cut");
    EXPECT_EQ(p.wire, 1500U);
  }
  EXPECT_EQ(read_memory_capture(file(4).bytes()).verdict(), errc::truncated);
}

TEST(pcap, of_an_unknown_version_is_read_as_the_current_one) {
  const auto packets = packets_of(pcap_file{{.major = 543, .minor = 9}}.add(noon_us, "x").bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].time, noon_us);
}

TEST(pcap, carries_fractions_of_more_than_a_second_over) {
  const auto us = packets_of(pcap_file{}.add({.seconds = 5, .fraction = 2'000'001}, "x").bytes());
  const auto ns = packets_of(
      pcap_file{{.nanoseconds = true}}.add({.seconds = 5, .fraction = 1'000'000'001}, "x").bytes());
  ASSERT_EQ(us.size(), 1U);
  ASSERT_EQ(ns.size(), 1U);
  EXPECT_EQ(us[0].time, timestamp{7s + 1us});
  EXPECT_EQ(ns[0].time, timestamp{6s + 1ns});
}

TEST(pcap, counts_seconds_until_2106) {
  const auto packets =
      packets_of(pcap_file{}.add({.seconds = 0xffffffff, .fraction = 0xffffffff}, "x").bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].time, timestamp{4'294'967'295s + 4'294'967'295us});
}

TEST(pcap, keeps_unknown_link_types_and_drops_reserved_bits) {
  const auto packets = packets_of(
      pcap_file{{.link = link_type{4711}, .link_flags = 0x03ff}}.add(noon_us, "x").bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].link, link_type{4711});
  EXPECT_EQ(packets[0].bytes, "x");
}

struct fcs_case {
  std::uint16_t flags;
  std::uint32_t wire;
  std::string bytes;
  std::uint32_t wire_left;
};

class pcap_fcs : public testing::TestWithParam<fcs_case> {};

TEST_P(pcap_fcs, is_taken_off_where_the_file_tells_its_length) {
  const auto& c = GetParam();
  const auto packets =
      packets_of(pcap_file{{.link_flags = c.flags}}.add(noon_us, "dataFCS!", c.wire).bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].bytes, c.bytes);
  EXPECT_EQ(packets[0].wire, c.wire_left);
}

INSTANTIATE_TEST_SUITE_P(lengths, pcap_fcs,
                         testing::Values(fcs_case{0x2400, 8, "data", 4},
                                         // Told to be absent, and not told.
                                         fcs_case{0x0400, 8, "dataFCS!", 8},
                                         fcs_case{0x2000, 8, "dataFCS!", 8},
                                         // The snapshot length cut within it and before it.
                                         fcs_case{0x2400, 10, "dataFC", 6},
                                         fcs_case{0x2400, 100, "dataFCS!", 96},
                                         // More than there is.
                                         fcs_case{0xf400, 8, "", 0}));

TEST(pcap, holds_packets_up_to_the_limit_in_the_smallest_block) {
  const byte_vector large(packet_block::max_packet, std::byte{'x'});
  const auto packets =
      packets_of(pcap_file{}.add(noon_us, large).add(noon_us, large).add(noon_us, "end").bytes());
  ASSERT_EQ(packets.size(), 3U);
  EXPECT_EQ(packets[0].bytes, as_text(large));
  EXPECT_EQ(packets[1].bytes, as_text(large));
  EXPECT_EQ(packets[2].bytes, "end");
}

TEST(pcap, with_a_packet_beyond_the_limit_is_damaged) {
  const auto all = read_memory_capture(
      pcap_file{}.add(noon_us, "fine").add({.captured = packet_block::max_packet + 1}, "").bytes());
  EXPECT_EQ(all.packets.size(), 1U);
  ASSERT_EQ(all.errors.size(), 1U);
  EXPECT_EQ(all.errors[0].code, errc::damaged);
  EXPECT_EQ(all.errors[0].message(),
            "test: is damaged in the record at byte 44: a packet of 262145 bytes");
}

TEST(pcap, that_ends_within_a_record_tells_where) {
  const auto bytes = pcap_file{}.add(noon_us, "fine").add(noon_us, "cut off").bytes();
  const auto all = read_memory_capture(prefix(bytes, bytes.size() - 1));
  EXPECT_EQ(all.packets.size(), 1U);
  ASSERT_EQ(all.errors.size(), 1U);
  EXPECT_EQ(all.errors[0].message(), "test: ends within the record at byte 44");
}

TEST(pcap, cut_anywhere_gives_the_packets_before_the_cut) {
  pcap_file file;
  std::vector<std::size_t> ends{file.bytes().size()};
  for (const auto* text : {"a", "", "three", "the last"}) {
    file.add(noon_us, text);
    ends.push_back(file.bytes().size());
  }
  const auto all = packets_of(file.bytes());
  ASSERT_EQ(all.size() + 1, ends.size());
  for (std::size_t n = 0; n <= file.bytes().size(); ++n) {
    SCOPED_TRACE(n);
    const auto cut = read_memory_capture(prefix(file.bytes(), n));
    const auto complete = std::ranges::upper_bound(ends, n) - ends.begin();
    const auto whole_packets = static_cast<std::size_t>(std::max<std::ptrdiff_t>(complete - 1, 0));
    ASSERT_EQ(cut.packets.size(), whole_packets);
    EXPECT_TRUE(std::equal(cut.packets.begin(), cut.packets.end(), all.begin()));
    const bool at_an_end = n == 0 || std::ranges::binary_search(ends, n);
    EXPECT_EQ(cut.verdict(), at_an_end ? std::optional<errc>{} : errc::truncated);
  }
}

} // namespace
} // namespace weir::test
