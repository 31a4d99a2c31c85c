#include <weir/net/output/tar_header.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

namespace weir {

namespace {

/// The fields of a ustar header.
struct field {
  std::size_t offset;
  std::size_t size;
};
constexpr field name_field{0, 100};
constexpr field mode_field{100, 8};
constexpr field uid_field{108, 8};
constexpr field gid_field{116, 8};
constexpr field size_field{124, 12};
constexpr field time_field{136, 12};
constexpr field checksum_field{148, 8};
constexpr field type_field{156, 1};
constexpr field magic_field{257, 8};
constexpr field prefix_field{345, 155};

using header = std::array<char, tar_block>;

/// These return what they wrote.
std::string_view put(header& h, field f, std::string_view text) noexcept {
  const auto n = std::min(text.size(), f.size);
  std::copy_n(text.data(), n, h.data() + f.offset);
  return {h.data() + f.offset, n};
}

/// Octal digits and a NUL; what does not fit, as GNU tar does: the top bit, then binary.
std::string_view put_number(header& h, field f, std::uint64_t value) noexcept {
  auto* const at = h.data() + f.offset;
  const auto digits = f.size - 1;
  if (value >> (3 * digits) == 0) {
    for (auto i = digits; i-- > 0; value >>= 3)
      at[i] = static_cast<char>('0' + (value & 7));
    return {at, digits};
  }
  for (auto i = f.size; i-- > 0; value >>= 8)
    at[i] = static_cast<char>(value & 0xff);
  at[0] = '\x80';
  return {at, f.size};
}

constexpr std::uint32_t sum_of(std::string_view text) noexcept {
  std::uint32_t sum = 0;
  for (const char c : text)
    sum += static_cast<unsigned char>(c);
  return sum;
}

/// What all headers have in common. The checksum counts its own field as blanks, and ends with a
/// NUL and a blank.
constexpr auto blank_header = [] {
  header h{};
  const auto put = [&](field f, std::string_view text) {
    std::copy(text.begin(), text.end(), h.begin() + static_cast<std::ptrdiff_t>(f.offset));
  };
  put(mode_field, "0000644");
  put(uid_field, "0000000");
  put(gid_field, "0000000");
  put(checksum_field, "        ");
  put(magic_field, {"ustar\00000", 8});
  return h;
}();
constexpr auto blank_sum = sum_of({blank_header.data(), blank_header.size()});

/// Where to divide a name into prefix and name; zero: it fits undivided.
std::optional<std::size_t> divide(std::string_view name) noexcept {
  if (name.size() <= name_field.size) return 0;
  const auto slash = name.rfind('/', prefix_field.size);
  if (slash == name.npos || slash == 0 || name.size() - slash - 1 > name_field.size)
    return std::nullopt;
  return slash;
}

void append(std::string_view prefix, std::string_view name, char type, std::uint64_t size,
            timestamp modification, std::string& out) {
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(modification).time_since_epoch().count();
  header h = blank_header;
  auto sum = blank_sum;
  const auto put_text = [&](field f, std::string_view text) { sum += sum_of(put(h, f, text)); };
  put_text(name_field, name);
  put_text(type_field, {&type, 1});
  put_text(prefix_field, prefix);
  sum += sum_of(put_number(h, size_field, size));
  sum += sum_of(
      put_number(h, time_field, static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0))));
  put_number(h, {checksum_field.offset, checksum_field.size - 1}, sum);
  h[checksum_field.offset + checksum_field.size - 2] = '\0';
  out.append(h.data(), h.size());
}

/// `LENGTH path=NAME\n`, where the length counts itself.
std::string path_record(std::string_view name) {
  const auto rest = name.size() + std::strlen(" path=\n");
  auto length = rest;
  while (length != rest + fmt::formatted_size("{}", length))
    length = rest + fmt::formatted_size("{}", length);
  return fmt::format("{} path={}\n", length, name);
}

} // namespace

void append_tar_header(std::string_view name, std::uint64_t size, timestamp modification,
                       std::string& out) {
  if (const auto at = divide(name)) {
    const auto skipped = *at == 0 ? 0 : *at + 1;
    append(name.substr(0, *at), name.substr(skipped), '0', size, modification, out);
    return;
  }
  auto record = path_record(name);
  append({}, "PaxHeaders/path", 'x', record.size(), modification, out);
  record.resize(tar_padded(record.size()));
  out += record;
  append({}, name.substr(0, name_field.size), '0', size, modification, out);
}

} // namespace weir
