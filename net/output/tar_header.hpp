/// Headers of tar entries: ustar (POSIX.1-1988), with a pax header (POSIX.1-2001) for names that it
/// has no room for, and GNU's binary sizes from 8 GiB on. GNU tar, bsdtar and Python read them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/net/time.hpp>

namespace weir {

inline constexpr std::size_t tar_block = 512;

/// Up to the next whole block.
constexpr std::uint64_t tar_padded(std::uint64_t size) noexcept {
  return (size + tar_block - 1) / tar_block * tar_block;
}

/// Appends the header of a regular file: whole blocks. Time is kept in whole seconds. The same
/// input gives the same bytes everywhere: the owner is number 0 without a name, the mode 0644.
void append_tar_header(std::string_view name, std::uint64_t size, timestamp modification,
                       std::string& out);

} // namespace weir
