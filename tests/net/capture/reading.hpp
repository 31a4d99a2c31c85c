/// Reading whole captures in tests.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include <weir/net/capture/capture_stream.hpp>
#include <weir/net/capture/gzip_reader.hpp>
#include <weir/tests/support/captures.hpp>

namespace weir::test {

/// A packet with its bytes, free of its block.
struct read_packet {
  timestamp time{};
  link_type link{};
  std::uint32_t wire = 0;
  std::string bytes;

  bool operator==(const read_packet&) const = default;
};

inline void PrintTo(const read_packet& p, std::ostream* out) {
  *out << p.time.time_since_epoch().count() << " ns, " << to_string(p.link) << ", wire " << p.wire
       << ", " << testing::PrintToString(p.bytes);
}

/// All that a source gave, over all its blocks and errors.
struct whole {
  std::vector<read_packet> packets;
  std::vector<error> errors;
  std::size_t blocks = 0;

  std::optional<errc> verdict() const {
    return errors.empty() ? std::optional<errc>{} : errors.front().code;
  }
};

/// Reads until `end`. Checks what holds for every source on the way.
inline whole read_all(packet_source& source, std::size_t capacity = 0) {
  packet_block block{capacity};
  whole all;
  for (;;) {
    block.clear();
    const auto outcome = source.fill(block);
    ++all.blocks;
    for (const auto& p : block.packets) {
      EXPECT_LE(std::size_t{p.offset} + p.captured, block.storage().size());
      EXPECT_LE(p.captured, p.wire);
      EXPECT_GE(p.time, timestamp{});
      EXPECT_LE(p.time, latest_time);
      all.packets.push_back({p.time, p.link, p.wire, std::string{as_text(block.bytes(p))}});
    }
    if (!block.packets.empty()) {
      EXPECT_EQ(block.now, block.packets.back().time);
    }
    if (!outcome) {
      all.errors.push_back(outcome.error());
    } else if (*outcome == packet_source::status::end) {
      return all;
    } else {
      EXPECT_FALSE(block.packets.empty()) << "`more` without a packet";
    }
  }
}

/// Opens memory as if it were a file named `name`.
inline result<std::unique_ptr<packet_source>> open_memory(bytes_view bytes,
                                                          const std::string& name = "test") {
  return read_capture(read_decompressed(read_memory(bytes), name), name);
}

inline whole read_memory_capture(bytes_view bytes) {
  auto source = open_memory(bytes);
  if (!source) {
    ADD_FAILURE() << source.error().message();
    return {};
  }
  return read_all(**source);
}

/// Of a file that must open.
inline std::vector<read_packet> packets_of(bytes_view bytes) {
  auto all = read_memory_capture(bytes);
  EXPECT_TRUE(all.errors.empty()) << all.errors.front().message();
  return std::move(all.packets);
}

/// One gzip member.
inline byte_vector gzip(bytes_view bytes) {
  z_stream stream{};
  constexpr int as_gzip = 16 + MAX_WBITS;
  constexpr int memory_level = 8;
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, as_gzip, memory_level,
                         Z_DEFAULT_STRATEGY),
            Z_OK);
  byte_vector out(deflateBound(&stream, bytes.size()) + 64);
  byte_vector in{bytes.begin(), bytes.end()};
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline byte_vector operator+(byte_vector a, const byte_vector& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline timestamp at_ns(std::int64_t nanoseconds) { return timestamp{duration{nanoseconds}}; }

inline bytes_view prefix(const byte_vector& bytes, std::size_t n) {
  return bytes_view{bytes}.first(n);
}

} // namespace weir::test
