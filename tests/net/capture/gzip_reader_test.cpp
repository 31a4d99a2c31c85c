#include <weir/tests/net/capture/reading.hpp>

#include <random>

namespace weir::test {
namespace {

struct outcome {
  byte_vector bytes;
  std::optional<error> failure;
};

/// Reads to the end in pieces of `piece` bytes.
outcome drain(byte_reader& reader, std::size_t piece) {
  outcome all;
  byte_vector buffer(piece);
  for (;;) {
    const auto n = reader.read(buffer);
    if (!n) return {all.bytes, n.error()};
    if (*n == 0) return all;
    all.bytes.insert(all.bytes.end(), buffer.begin(),
                     buffer.begin() + static_cast<std::ptrdiff_t>(*n));
  }
}

outcome decompressed(bytes_view bytes, std::size_t piece = 4096) {
  return drain(*read_decompressed(read_memory(bytes), "test"), piece);
}

/// Does not compress well.
byte_vector noise(std::size_t size) {
  std::mt19937 random{7};
  byte_vector bytes(size);
  for (auto& b : bytes)
    b = static_cast<std::byte>(random() % 64);
  return bytes;
}

TEST(gzip_reader, hands_out_other_bytes_as_they_are) {
  for (const std::size_t size : {0, 1, 2, 1000, 200'000})
    EXPECT_EQ(decompressed(noise(size)).bytes, noise(size)) << size;
  EXPECT_EQ(decompressed(raw({0x1f, 0x8c, 1})).bytes, raw({0x1f, 0x8c, 1}));
}

TEST(gzip_reader, inflates_in_pieces_of_any_size) {
  const auto bytes = noise(10'000);
  const auto packed = gzip(bytes);
  for (const std::size_t piece : {1, 7, 9'999, 10'000, 100'000})
    EXPECT_EQ(decompressed(packed, piece).bytes, bytes) << piece;
}

TEST(gzip_reader, joins_members) {
  const auto first = noise(100'000), second = noise(70'000);
  const auto both = decompressed(gzip(first) + gzip({}) + gzip(second));
  EXPECT_FALSE(both.failure);
  EXPECT_EQ(both.bytes, first + second);
}

TEST(gzip_reader, takes_zeros_after_the_end_for_padding) {
  const auto padded = decompressed(gzip(noise(100)) + byte_vector(1000));
  EXPECT_FALSE(padded.failure);
  EXPECT_EQ(padded.bytes, noise(100));
}

TEST(gzip_reader, tells_of_other_bytes_after_the_end) {
  const auto trailed = decompressed(gzip(noise(100)) + raw({'x'}));
  EXPECT_EQ(trailed.bytes, noise(100));
  ASSERT_TRUE(trailed.failure);
  EXPECT_EQ(trailed.failure->code, errc::bad_compression);
  EXPECT_EQ(trailed.failure->subject, "test");
}

TEST(gzip_reader, gives_what_came_before_a_wrong_checksum) {
  auto packed = gzip(noise(1000));
  packed[packed.size() - 5] ^= std::byte{1};
  const auto broken = decompressed(packed);
  EXPECT_EQ(broken.bytes, noise(1000));
  ASSERT_TRUE(broken.failure);
  EXPECT_EQ(broken.failure->message(),
            "test: the compressed data is damaged (incorrect data check)");
}

TEST(gzip_reader, gives_a_beginning_of_what_is_cut_anywhere) {
  const auto bytes = noise(500);
  const auto packed = gzip(bytes);
  std::size_t longest = 0;
  for (std::size_t n = 2; n < packed.size(); ++n) {
    SCOPED_TRACE(n);
    const auto cut = decompressed(prefix(packed, n));
    ASSERT_TRUE(cut.failure);
    EXPECT_EQ(cut.failure->message(), "test: the compressed data ends early");
    ASSERT_LE(cut.bytes.size(), bytes.size());
    EXPECT_TRUE(std::equal(cut.bytes.begin(), cut.bytes.end(), bytes.begin()));
    EXPECT_GE(cut.bytes.size(), longest) << "more input, less output";
    longest = cut.bytes.size();
  }
  EXPECT_EQ(longest, bytes.size());
}

TEST(gzip_reader, repeats_its_error) {
  const auto packed = gzip(noise(100));
  const auto reader = read_decompressed(read_memory(prefix(packed, 20)), "test");
  EXPECT_TRUE(drain(*reader, 100).failure);
  EXPECT_TRUE(drain(*reader, 100).failure);
}

TEST(gzip_reader, counts_compressed_bytes) {
  const auto packed = gzip(noise(300'000));
  const auto reader = read_decompressed(read_memory(packed), "test");
  byte_vector buffer(150'000);
  ASSERT_TRUE(reader->read(buffer));
  const auto half = reader->position();
  EXPECT_EQ(half.total, packed.size());
  EXPECT_GT(half.done, packed.size() / 3);
  EXPECT_LT(half.done, packed.size() * 2 / 3);
  drain(*reader, 4096);
  EXPECT_EQ(reader->position().done, packed.size());
}

TEST(gzip_reader, gives_a_compressed_captures_packets_up_to_the_cut) {
  pcap_file file;
  for (int i = 0; i < 50; ++i)
    file.add(at_ns(i * 1000), std::string_view{std::to_string(i * i)});
  const auto all = packets_of(file.bytes());
  const auto packed = gzip(file.bytes());
  EXPECT_EQ(packets_of(packed), all);
  std::size_t most = 0;
  for (std::size_t n = 2; n < packed.size(); ++n) {
    SCOPED_TRACE(n);
    const auto cut = read_memory_capture(prefix(packed, n));
    EXPECT_EQ(cut.verdict(), errc::bad_compression);
    ASSERT_LE(cut.packets.size(), all.size());
    EXPECT_TRUE(std::equal(cut.packets.begin(), cut.packets.end(), all.begin()));
    most = std::max(most, cut.packets.size());
  }
  EXPECT_EQ(most, all.size());
}

} // namespace
} // namespace weir::test
