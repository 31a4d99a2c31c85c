/// Whatever the bytes are: no crash, no endless loop, no more packets than bytes.
#include <weir/tests/net/capture/reading.hpp>

#include <random>

namespace weir::test {
namespace {

/// A small file with everything in it.
byte_vector pcapng_sample() {
  pcapng_file file;
  file.interface({.snaplen = 96, .resolution = 9, .offset = 7, .options = file.option(2, "eth0")});
  file.add(at_ns(1), "first").simple("second").block(0xbad, "custom");
  file.section(true).interface().obsolete({.options = file.option(1, "note")}, "third");
  return file.add(at_ns(4), "fourth").bytes();
}

byte_vector pcap_sample() {
  return pcap_file{}.add(at_ns(1), "first").add(at_ns(2), "second").add(at_ns(3), "").bytes();
}

class damaged_input : public testing::TestWithParam<byte_vector> {};

void expect_bounded(bytes_view bytes) {
  auto source = open_memory(bytes);
  if (!source) {
    EXPECT_EQ(source.error().code, errc::not_a_capture);
    return;
  }
  const auto all = read_all(**source);
  EXPECT_LE(all.errors.size(), 1U);
  std::size_t given = 0;
  for (const auto& p : all.packets)
    given += p.bytes.size() + 16;
  // Deflate makes at most 1032 bytes of one.
  EXPECT_LE(given, bytes.size() * 1032);
  EXPECT_LE(all.blocks, all.packets.size() + 2);
}

TEST_P(damaged_input, with_any_one_bit_turned_is_survived) {
  for (std::size_t bit = 0; bit < GetParam().size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    auto bytes = GetParam();
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    expect_bounded(bytes);
  }
}

TEST_P(damaged_input, with_many_bytes_changed_is_survived) {
  std::mt19937 random{42};
  for (int round = 0; round < 2'000; ++round) {
    SCOPED_TRACE(round);
    auto bytes = GetParam();
    for (auto changes = random() % 8; changes != 0; --changes)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 2 == 0 ? 0xff : random());
    bytes.resize(bytes.size() - random() % 8);
    expect_bounded(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(of_each_kind, damaged_input,
                         testing::Values(pcap_sample(), pcapng_sample(), gzip(pcap_sample()),
                                         gzip(pcapng_sample())));

} // namespace
} // namespace weir::test
