/// Reading bytes that someone else chose. All parsing in net/ goes through `cursor`: it never reads
/// past its end, and a short read is remembered, so a parser reads a whole header and asks once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace weir {

/// Bytes owned by someone else; valid as long as the owner says.
using bytes_view = std::span<const std::byte>;

inline std::uint16_t load_be16(const std::byte* p) noexcept {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return std::endian::native == std::endian::little ? __builtin_bswap16(v) : v;
}

inline std::uint32_t load_be32(const std::byte* p) noexcept {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return std::endian::native == std::endian::little ? __builtin_bswap32(v) : v;
}

inline std::string_view as_text(bytes_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline bytes_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// A bounds-checked reader over a `bytes_view`, network byte order. After the first read beyond the
/// end every read yields zero or an empty view and `ok()` is false.
class cursor {
public:
  cursor() = default;
  explicit cursor(bytes_view bytes) noexcept : rest_(bytes) {}

  bool ok() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }

  /// What has not been read yet.
  bytes_view rest() const noexcept { return rest_; }
  std::size_t size() const noexcept { return rest_.size(); }

  std::uint8_t u8() noexcept { return take(1) ? std::to_integer<std::uint8_t>(last_[0]) : 0; }
  std::uint16_t u16() noexcept { return take(2) ? load_be16(last_) : 0; }
  std::uint32_t u32() noexcept { return take(4) ? load_be32(last_) : 0; }
  std::uint64_t u64() noexcept {
    const std::uint64_t high = u32();
    return high << 32 | u32();
  }

  bytes_view bytes(std::size_t n) noexcept { return take(n) ? bytes_view{last_, n} : bytes_view{}; }
  bool skip(std::size_t n) noexcept { return take(n); }

  /// The byte or the big-endian number `at` bytes ahead, without consuming; zero where there is
  /// none.
  std::uint8_t peek_u8(std::size_t at = 0) const noexcept {
    return at < rest_.size() ? std::to_integer<std::uint8_t>(rest_[at]) : 0;
  }
  std::uint16_t peek_u16(std::size_t at = 0) const noexcept {
    return at + 2 <= rest_.size() ? load_be16(rest_.data() + at) : std::uint16_t{0};
  }

  /// Forgets everything beyond the next `n` bytes: a length field said that the header or packet
  /// ends there. Longer than what is left is no error: captures cut packets.
  void limit(std::size_t n) noexcept {
    if (n < rest_.size()) rest_ = rest_.first(n);
  }

private:
  bool take(std::size_t n) noexcept {
    if (n > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return false;
    }
    last_ = rest_.data();
    rest_ = rest_.subspan(n);
    return true;
  }

  bytes_view rest_;
  const std::byte* last_ = nullptr;
  bool ok_ = true;
};

} // namespace weir
