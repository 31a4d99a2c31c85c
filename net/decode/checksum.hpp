/// The Internet checksum (RFC 1071).
#pragma once

#include <cstdint>

#include <weir/net/bytes.hpp>

namespace weir {

/// Adds up 16-bit words. Feed an even number of bytes each time but the last.
class checksum {
public:
  void add(bytes_view bytes) noexcept {
    const auto* p = bytes.data();
    auto n = bytes.size();
    for (; n >= 4; p += 4, n -= 4)
      sum_ += load_be32(p);
    if (n >= 2) {
      sum_ += load_be16(p);
      p += 2;
      n -= 2;
    }
    if (n == 1) sum_ += std::to_integer<std::uint64_t>(*p) << 8;
  }

  void add(std::uint32_t word) noexcept { sum_ += word; }

  /// True where the bytes, with the checksum among them, add up as they should.
  bool ok() const noexcept {
    auto folded = sum_;
    while (folded >> 16 != 0)
      folded = (folded & 0xffff) + (folded >> 16);
    return folded == 0xffff;
  }

private:
  std::uint64_t sum_ = 0;
};

} // namespace weir
