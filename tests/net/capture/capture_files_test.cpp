#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/tests/net/capture/capture_directory.hpp>

namespace weir::test {
namespace {

TEST_F(capture_files, open_by_content_not_by_name) {
  const auto pcap = pcap_file{}.add(at_ns(1000), "x").bytes();
  pcapng_file pcapng;
  pcapng.add(at_ns(1000), "x");
  for (const auto& bytes : {pcap, pcapng.bytes(), gzip(pcap), gzip(pcapng.bytes())}) {
    auto source = open_capture_file(put("any", bytes));
    ASSERT_TRUE(source);
    EXPECT_EQ(texts(read_all(**source)), strings{"x"});
  }
}

TEST_F(capture_files, that_are_empty_have_no_packets) {
  EXPECT_TRUE(read({put("empty", {})}).packets.empty());
  EXPECT_TRUE(read({put("empty", {}), put("empty.gz", gzip({}))}).packets.empty());
  EXPECT_TRUE(read({}).packets.empty());
}

TEST_F(capture_files, that_are_no_captures_do_not_open) {
  for (const char* text : {"#!/usr/bin/env python3\n", "x", "\x1f", "\xa1\xb2\xc3\xff"}) {
    const auto source = open_capture_file(put("other", as_bytes(text)));
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, errc::not_a_capture);
    EXPECT_EQ(source.error().message(), path("other") + ": not a pcap or pcapng capture");
  }
}

TEST_F(capture_files, that_are_something_known_tell_the_remedy) {
  const auto source = open_capture_file(put("a.pcap.zst", as_bytes("\x28\xb5\x2f\xfd....")));
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, errc::not_a_capture);
  EXPECT_EQ(source.error().message(),
            path("a.pcap.zst") + ": compressed with zstd: decompress it first (`zstd -dc`)");
}

TEST_F(capture_files, that_cannot_be_opened_tell_why) {
  for (const auto& [file, words] : {std::pair{path("missing"), "No such file or directory"},
                                    {"/proc/self/mem", "Input/output error"},
                                    {dir_.path().string(), "Is a directory"}}) {
    const auto source = open_capture_file(file);
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, errc::system);
    EXPECT_EQ(source.error().message(), file + ": " + words);
  }
}

TEST_F(capture_files, without_permission_tell_so) {
  const auto file = put("secret", {});
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  // Root may read everything, so it is someone else for a moment.
  constexpr uid_t nobody = 65'534;
  const auto self = ::geteuid();
  if (self == 0) {
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const auto source = open_capture_file(file);
  if (self == 0) {
    ASSERT_EQ(::seteuid(self), 0);
  }
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, errc::system);
  EXPECT_EQ(source.error().message(), file + ": Permission denied");
}

TEST_F(capture_files, come_in_the_order_of_their_first_packets) {
  const auto late =
      put("a", pcap_file{}.add(at_ns(9'000), "late").add(at_ns(1'000), "back").bytes());
  const auto early = put("b", gzip(pcap_file{}.add(at_ns(2'000), "early").bytes()));
  pcapng_file pcapng;
  const auto middle = put("c", pcapng.add(at_ns(5'000), "middle").bytes());
  const auto none = put("d", pcap_file{}.bytes());
  EXPECT_EQ(texts(read({late, early, none, middle})), (strings{"early", "middle", "late", "back"}));
}

TEST_F(capture_files, with_equal_first_times_stay_in_the_order_given) {
  const auto a = put("a", pcap_file{}.add(at_ns(1'000), "a").bytes());
  const auto b = put("b", pcap_file{}.add(at_ns(1'000), "b").bytes());
  EXPECT_EQ(texts(read({b, a})), (strings{"b", "a"}));
}

TEST_F(capture_files, given_twice_are_read_twice) {
  const auto a = put("a", pcap_file{}.add(at_ns(1'000), "a").bytes());
  EXPECT_EQ(texts(read({a, a})), (strings{"a", "a"}));
}

TEST_F(capture_files, do_not_open_where_one_of_them_does_not) {
  const auto fine = put("fine", pcap_file{}.add(at_ns(1), "x").bytes());
  const auto other = put("other", as_bytes("garbage"));
  for (const auto& [bad, code] :
       {std::pair{other, errc::not_a_capture}, {path("missing"), errc::system}}) {
    const auto source = open_capture_files({fine, bad});
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, code);
    EXPECT_EQ(source.error().subject, bad);
  }
}

TEST_F(capture_files, go_on_after_one_that_is_incomplete) {
  const auto whole_file = pcap_file{}.add(at_ns(1'000), "1").add(at_ns(2'000), "2").bytes();
  const auto cut = put("cut", prefix(whole_file, whole_file.size() - 1));
  const auto headless = put("headless", prefix(whole_file, 10));
  const auto damaged =
      put("damaged", pcap_file{}.add(at_ns(3'000), "3").add({.captured = 1 << 30}, "").bytes());
  const auto packed = gzip(pcap_file{}.add(at_ns(4'000), "4").bytes());
  const auto broken = put("broken", prefix(packed, packed.size() - 1));
  const auto fine = put("fine", pcap_file{}.add(at_ns(5'000), "5").bytes());

  const auto all = read({fine, broken, damaged, cut, headless});
  EXPECT_EQ(texts(all), (strings{"1", "3", "4", "5"}));
  std::vector<std::pair<std::string, errc>> told;
  for (const auto& e : all.errors)
    told.emplace_back(e.subject, e.code);
  const decltype(told) expected{{headless, errc::truncated},
                                {cut, errc::truncated},
                                {damaged, errc::damaged},
                                {broken, errc::bad_compression}};
  EXPECT_EQ(told, expected);
}

TEST_F(capture_files, that_vanish_before_they_are_read_are_told) {
  const auto a = put("a", pcap_file{}.add(at_ns(1'000), "a").bytes());
  const auto b = put("b", pcap_file{}.add(at_ns(2'000), "b").bytes());
  auto source = open_capture_files({a, b});
  ASSERT_TRUE(source);
  std::filesystem::remove(a);
  const auto all = read_all(**source);
  EXPECT_EQ(texts(all), strings{"b"});
  EXPECT_EQ(all.verdict(), errc::system);
}

TEST_F(capture_files, are_not_all_open_at_a_time) {
  strings paths;
  for (int i = 0; i < 300; ++i)
    paths.push_back(put(std::to_string(i), pcap_file{}.add(at_ns(i * 1'000), "x").bytes()));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto all = read(paths);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(all.packets.size(), 300U);
  EXPECT_TRUE(all.errors.empty());
}

TEST_F(capture_files, tell_their_position_over_all_of_them) {
  const auto bytes = pcap_file{}.add(at_ns(1'000), "a").bytes();
  const auto packed = gzip(bytes);
  auto source = open_capture_files({put("a", bytes), put("b", packed), put("c", {})});
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->position().done, 0U);
  EXPECT_EQ((*source)->position().total, bytes.size() + packed.size());
  packet_block block{0};
  ASSERT_TRUE((*source)->fill(block));
  EXPECT_EQ((*source)->position().done, bytes.size());
  read_all(**source);
  EXPECT_EQ((*source)->position().done, bytes.size() + packed.size());
}

TEST_F(capture_files, fill_blocks_well) {
  pcap_file file;
  const byte_vector packet(1000, std::byte{'x'});
  for (int i = 0; i < 5'000; ++i)
    file.add(at_ns(i * 1'000), packet);
  auto source = open_capture_file(put("a", file.bytes()));
  ASSERT_TRUE(source);
  constexpr std::size_t capacity = 1 << 20;
  const auto all = read_all(**source, capacity);
  EXPECT_EQ(all.packets.size(), 5'000U);
  // As few blocks as the bytes need, and the empty one at the end.
  EXPECT_LE(all.blocks, file.bytes().size() / capacity + 2);
}

TEST_F(capture_files, give_the_same_packets_whatever_the_blocks_size) {
  std::vector<std::string> sent;
  pcap_file pcap;
  pcapng_file pcapng;
  std::size_t size = 1;
  for (int i = 0; i < 2'000; ++i) {
    size = size * 31 % 65'521;
    sent.emplace_back(size % (i % 10 == 0 ? 60'000 : 1'500), static_cast<char>('a' + i % 26));
    pcap.add(at_ns(i * 1'000), std::string_view{sent.back()});
    pcapng.add(at_ns(i * 1'000), std::string_view{sent.back()});
  }
  for (const auto& file : {put("a", pcap.bytes()), put("b", pcapng.bytes())})
    for (const std::size_t capacity : {0, 300'001, 1 << 20, 1 << 24}) {
      auto source = open_capture_file(file);
      ASSERT_TRUE(source);
      EXPECT_EQ(texts(read_all(**source, capacity)), sent) << capacity;
    }
}

} // namespace
} // namespace weir::test
