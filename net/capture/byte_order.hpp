/// Numbers in the byte order of the machine that wrote the file: both capture formats keep it.
#pragma once

#include <cstdint>
#include <cstring>

#include <weir/net/bytes.hpp>

namespace weir {

/// Loads from memory whose bounds the caller has checked.
struct byte_order {
  /// The file was written on a machine of the other byte order than this one.
  bool swapped = false;

  std::uint16_t u16(const std::byte* p) const noexcept {
    std::uint16_t v;
    std::memcpy(&v, p, sizeof v);
    return swapped ? __builtin_bswap16(v) : v;
  }

  std::uint32_t u32(const std::byte* p) const noexcept {
    std::uint32_t v;
    std::memcpy(&v, p, sizeof v);
    return swapped ? __builtin_bswap32(v) : v;
  }

  std::uint64_t u64(const std::byte* p) const noexcept {
    std::uint64_t v;
    std::memcpy(&v, p, sizeof v);
    return swapped ? __builtin_bswap64(v) : v;
  }
};

} // namespace weir
