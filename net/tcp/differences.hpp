/// Comparing bytes that should be the same.
#pragma once

#include <cstdint>
#include <cstring>

#include <weir/net/bytes.hpp>

namespace weir {

/// Positions at which two ranges of `n` bytes differ.
inline std::uint64_t count_differences(const std::byte* a, const std::byte* b,
                                       std::size_t n) noexcept {
  if (n == 0 || std::memcmp(a, b, n) == 0) return 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    count += a[i] != b[i] ? 1 : 0;
  return count;
}

} // namespace weir
