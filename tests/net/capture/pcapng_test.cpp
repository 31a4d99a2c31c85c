#include <weir/tests/net/capture/reading.hpp>

namespace weir::test {
namespace {

using namespace std::chrono_literals;

const timestamp noon{1'700'000'000s + 123'456'789ns};

/// The message of the error that ends a file with one sound packet before it.
std::string damage_of(const pcapng_file& file) {
  const auto all = read_memory_capture(file.bytes());
  EXPECT_EQ(all.packets.size(), 1U);
  EXPECT_EQ(all.verdict(), errc::damaged);
  return all.errors.empty() ? "" : all.errors[0].detail;
}

pcapng_file one_packet() {
  pcapng_file file;
  file.add(noon, "fine");
  return file;
}

class pcapng_byte_order : public testing::TestWithParam<bool> {};

TEST_P(pcapng_byte_order, does_not_matter) {
  pcapng_file file{GetParam()};
  file.interface({.link = link_type::raw, .snaplen = 3, .resolution = 9, .offset = 1'000'000'000});
  file.enhanced({.ticks = 700'000'000'123'456'789}, "enhanced");
  file.obsolete({.ticks = 700'000'000'000'000'000, .wire = 1500}, "obsolete");
  file.simple("sim", 60);
  const timestamp obsolete{1'700'000'000s};
  const std::vector<read_packet> expected{{noon, link_type::raw, 8, "enhanced"},
                                          {obsolete, link_type::raw, 1500, "obsolete"},
                                          {obsolete, link_type::raw, 60, "sim"}};
  EXPECT_EQ(packets_of(file.bytes()), expected);
}

INSTANTIATE_TEST_SUITE_P(both, pcapng_byte_order, testing::Bool());

TEST(pcapng, with_only_a_section_header_has_no_packets) {
  EXPECT_TRUE(packets_of(pcapng_file{}.bytes()).empty());
}

TEST(pcapng, has_a_link_type_and_a_clock_for_each_interface) {
  pcapng_file file;
  file.interface({.link = link_type::ethernet})
      .interface({.link = link_type::linux_sll, .resolution = 3})
      .interface({.link = link_type{147}, .resolution = 0x80 | 1, .offset = -1});
  file.enhanced({.ticks = 5'000'001, .interface = 0}, "a")
      .enhanced({.ticks = 5'001, .interface = 1}, "b")
      .obsolete({.ticks = 5, .interface = 2}, "c");
  const std::vector<read_packet> expected{{timestamp{5s + 1us}, link_type::ethernet, 1, "a"},
                                          {timestamp{5s + 1ms}, link_type::linux_sll, 1, "b"},
                                          {timestamp{1500ms}, link_type{147}, 1, "c"}};
  EXPECT_EQ(packets_of(file.bytes()), expected);
}

TEST(pcapng, starts_afresh_with_each_section) {
  pcapng_file file;
  file.interface({.link = link_type::raw}).enhanced({.ticks = 1}, "a");
  file.section(true).interface({.link = link_type::null}).enhanced({.ticks = 2}, "b");
  file.section(false).enhanced({.ticks = 3}, "no interface yet");
  const auto all = read_memory_capture(file.bytes());
  ASSERT_EQ(all.packets.size(), 2U);
  EXPECT_EQ(all.packets[0].link, link_type::raw);
  EXPECT_EQ(all.packets[1].link, link_type::null);
  ASSERT_EQ(all.verdict(), errc::damaged);
  EXPECT_NE(all.errors[0].detail.find("interface 0, which is not described"), std::string::npos);
}

TEST(pcapng, skips_blocks_that_hold_no_packets) {
  auto file = one_packet();
  constexpr std::uint32_t name_resolution = 4, statistics = 5, decryption_secrets = 10;
  constexpr std::uint32_t custom = 0xbad, of_the_future = 0x7fffffff;
  for (const auto type : {name_resolution, statistics, decryption_secrets, custom, of_the_future})
    file.block(type, "whatever there is").block(type, "");
  file.add(noon + 1s, "after");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(packets[1].bytes, "after");
}

TEST(pcapng, skips_blocks_larger_than_any_buffer) {
  const byte_vector large(3 * packet_block::max_packet + 1);
  auto file = one_packet();
  file.block(0xbad, large).add(noon + 1s, "after");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(packets[1].bytes, "after");
}

TEST(pcapng, ignores_options_of_packets_even_where_they_are_larger_than_any_buffer) {
  pcapng_file file;
  byte_vector comments;
  for (int i = 0; i < 5; ++i)
    comments = comments + file.option(1, byte_vector(65'535, std::byte{'c'}));
  file.interface().enhanced({.options = comments}, "odd").add(noon, "after");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(packets[0].bytes, "odd");
  EXPECT_EQ(packets[1].bytes, "after");
}

TEST(pcapng, finds_the_clock_among_an_interfaces_options) {
  pcapng_file file;
  const auto name = file.option(2, "eth0") + file.option(3, "odd");
  file.interface({.resolution = 9, .options = name}).enhanced({.ticks = 7}, "x");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].time, at_ns(7));
}

TEST(pcapng, reads_no_option_after_the_end_of_options) {
  pcapng_file file;
  file.interface({.resolution = 9, .options = file.option(0, "")}).enhanced({.ticks = 7}, "x");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].time, at_ns(7'000));
}

TEST(pcapng, cuts_simple_packets_at_the_first_interfaces_snapshot_length) {
  const auto simple = [](std::uint32_t snaplen) {
    pcapng_file file;
    file.interface({.snaplen = snaplen}).simple("12345", 5);
    const auto packets = packets_of(file.bytes());
    return packets.empty() ? "" : packets[0].bytes;
  };
  EXPECT_EQ(simple(0), "12345");
  EXPECT_EQ(simple(3), "123");
  EXPECT_EQ(simple(100), "12345");
}

TEST(pcapng, gives_simple_packets_the_time_of_the_packet_before) {
  pcapng_file file;
  file.interface({.resolution = 9}).simple("a").enhanced({.ticks = 7}, "b").simple("c");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 3U);
  EXPECT_EQ(packets[0].time, at_ns(0));
  EXPECT_EQ(packets[2].time, at_ns(7));
}

TEST(pcapng, has_a_wire_length_of_at_least_the_captured_one) {
  pcapng_file file;
  file.interface().enhanced({.wire = 2}, "longer");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].wire, 6U);
}

TEST(pcapng, clamps_times_that_no_one_lives_to_see) {
  pcapng_file file;
  file.interface().enhanced({.ticks = ~std::uint64_t{0}}, "x");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].time, latest_time);
}

TEST(pcapng, may_leave_padding_out_of_a_blocks_length) {
  auto file = one_packet();
  constexpr std::uint32_t length = 12 + 5;
  file.block(0xbad, "12345", length).add(noon, "after");
  EXPECT_EQ(packets_of(file.bytes()).size(), 2U);
}

TEST(pcapng, holds_packets_up_to_the_limit_in_the_smallest_block) {
  const byte_vector large(packet_block::max_packet, std::byte{'x'});
  pcapng_file file;
  file.add(noon, large).add(noon, large).add(noon, "end");
  const auto packets = packets_of(file.bytes());
  ASSERT_EQ(packets.size(), 3U);
  EXPECT_EQ(packets[1].bytes, as_text(large));
  EXPECT_EQ(packets[2].bytes, "end");
}

TEST(pcapng, with_a_packet_beyond_the_limit_is_damaged) {
  const byte_vector large(packet_block::max_packet + 1, std::byte{'x'});
  EXPECT_NE(damage_of(one_packet().add(noon, large)).find("a packet of 262145 bytes"),
            std::string::npos);
}

TEST(pcapng, with_a_packet_longer_than_its_block_is_damaged) {
  EXPECT_EQ(damage_of(one_packet().enhanced({.captured = 9}, "12345678")),
            "is damaged in the record at byte 96: a packet of 9 bytes in a block of 40 bytes");
  EXPECT_NE(damage_of(one_packet().obsolete({.captured = 0xffffffff}, "x")), "");
  EXPECT_NE(damage_of(one_packet().simple("1234", 5)), "");
}

TEST(pcapng, with_two_lengths_that_differ_is_damaged) {
  EXPECT_NE(damage_of(one_packet().block(0xbad, "1234", 16, 20)).find("two lengths differ"),
            std::string::npos);
}

TEST(pcapng, with_a_block_too_small_for_its_type_is_damaged) {
  for (const std::uint32_t type : {1, 2, 3, 6, 0x0a0d0d0a})
    EXPECT_NE(damage_of(one_packet().block(type, "").append(byte_vector(64))), "") << type;
  for (const std::uint32_t length : {0, 11})
    EXPECT_NE(damage_of(one_packet().block(0xbad, "", length)), "") << length;
}

TEST(pcapng, with_a_packet_of_an_unknown_interface_is_damaged) {
  EXPECT_NE(damage_of(one_packet().enhanced({.interface = 1}, "x")), "");
  EXPECT_NE(damage_of(one_packet().obsolete({.interface = 1}, "x")), "");
  EXPECT_EQ(read_memory_capture(pcapng_file{}.simple("x").bytes()).verdict(), errc::damaged);
}

TEST(pcapng, with_an_option_longer_than_its_block_is_damaged) {
  auto file = one_packet();
  const auto broken = raw({0x02, 0x02, 0xff, 0xff});
  EXPECT_NE(damage_of(file.interface({.options = broken})), "");
}

TEST(pcapng, with_a_section_of_another_major_version_is_damaged) {
  EXPECT_NE(damage_of(one_packet().section(false, 2)).find("version 2"), std::string::npos);
}

TEST(pcapng, with_a_section_without_byte_order_is_damaged) {
  EXPECT_NE(damage_of(one_packet().block(0x0a0d0d0a, byte_vector(16))), "");
}

TEST(pcapng, with_an_oversized_interface_description_is_damaged) {
  pcapng_file file = one_packet();
  const byte_vector large(packet_block::max_packet);
  EXPECT_NE(damage_of(file.block(1, large)).find("interface description"), std::string::npos);
}

TEST(pcapng, with_more_interfaces_than_its_limit_is_damaged) {
  auto file = one_packet();
  for (int i = 1; i < 65'536; ++i)
    file.interface();
  file.enhanced({.interface = 65'535}, "last");
  EXPECT_EQ(packets_of(file.bytes()).size(), 2U);
  const auto all = read_memory_capture(file.interface().bytes());
  EXPECT_EQ(all.packets.size(), 2U);
  EXPECT_EQ(all.verdict(), errc::damaged);
}

TEST(pcapng, cut_anywhere_gives_the_packets_before_the_cut) {
  pcapng_file file;
  std::vector<std::size_t> packet_ends, block_ends{0, file.bytes().size()};
  const auto padded_end = [&](std::size_t padding_and_trailer) {
    packet_ends.push_back(file.bytes().size() - padding_and_trailer);
    block_ends.push_back(file.bytes().size());
  };
  file.interface({.resolution = 9});
  block_ends.push_back(file.bytes().size());
  file.enhanced({.ticks = 1}, "1");
  padded_end(3 + 4);
  file.block(0xbad, "custom");
  block_ends.push_back(file.bytes().size());
  file.obsolete({.ticks = 2, .options = file.option(1, "note")}, "two");
  padded_end(1 + 8 + 4);
  file.simple("four");
  padded_end(4);
  const auto all = packets_of(file.bytes());
  ASSERT_EQ(all.size(), 3U);
  for (std::size_t n = 0; n <= file.bytes().size(); ++n) {
    SCOPED_TRACE(n);
    const auto cut = read_memory_capture(prefix(file.bytes(), n));
    const auto complete = std::ranges::upper_bound(packet_ends, n) - packet_ends.begin();
    ASSERT_EQ(cut.packets.size(), static_cast<std::size_t>(complete));
    EXPECT_TRUE(std::equal(cut.packets.begin(), cut.packets.end(), all.begin()));
    const bool at_an_end = std::ranges::binary_search(block_ends, n);
    EXPECT_EQ(cut.verdict(), at_an_end ? std::optional<errc>{} : errc::truncated);
  }
}

} // namespace
} // namespace weir::test
