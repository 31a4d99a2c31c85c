#include <weir/tests/bench/tar_reader.hpp>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace weir::bench {

namespace {

constexpr std::size_t record = 512;

/// Up to the first NUL.
std::string_view field(bytes_view header, std::size_t offset, std::size_t size) {
  const auto text = as_text(header.subspan(offset, size));
  return text.substr(0, text.find('\0'));
}

/// Octal text, or GNU's big-endian binary form with the high bit set.
std::uint64_t number(bytes_view header, std::size_t offset, std::size_t size) {
  const auto raw = header.subspan(offset, size);
  std::uint64_t value = 0;
  if ((raw[0] & std::byte{0x80}) != std::byte{0}) {
    for (const auto byte : raw.subspan(1))
      value = value << 8 | std::to_integer<std::uint8_t>(byte);
    return value;
  }
  auto text = field(header, offset, size);
  while (text.starts_with(' '))
    text.remove_prefix(1);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (failed != std::errc{}) throw std::runtime_error("tar: a header has no size");
  return value;
}

std::string ustar_name(bytes_view header) {
  const auto prefix = field(header, 257, 5) == "ustar" ? field(header, 345, 155) : "";
  const auto name = field(header, 0, 100);
  return prefix.empty() ? std::string{name} : std::string{prefix} + '/' + std::string{name};
}

/// What a pax header's records (`LENGTH KEY=VALUE\n`) say of one key.
std::string pax_value(std::string_view records, std::string_view wanted) {
  while (!records.empty()) {
    std::size_t length = 0;
    const auto [end, failed] =
        std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(end - records.data());
    if (failed != std::errc{} || length > records.size() || length < digits + 3)
      throw std::runtime_error("tar: a pax header is broken");
    const auto pair = records.substr(digits + 1, length - digits - 2);
    if (pair.starts_with(wanted) && pair.substr(wanted.size()).starts_with('='))
      return std::string{pair.substr(wanted.size() + 1)};
    records.remove_prefix(length);
  }
  return {};
}

bool all_zero(bytes_view header) {
  return as_text(header).find_first_not_of('\0') == std::string_view::npos;
}

} // namespace

void for_each_tar_member(bytes_view archive,
                         const std::function<void(const std::string&, bytes_view)>& visit) {
  std::string long_name;
  while (archive.size() >= record && !all_zero(archive.first(record))) {
    const auto header = archive.first(record);
    archive = archive.subspan(record);
    const auto size = number(header, 124, 12);
    const auto padded = (size + record - 1) / record * record;
    if (padded > archive.size()) throw std::runtime_error("tar: the archive is cut off");
    const auto content = archive.first(size);
    archive = archive.subspan(padded);
    switch (static_cast<char>(header[156])) {
    case 'x': long_name = pax_value(as_text(content), "path"); break;
    case 'L': long_name = field(content, 0, content.size()); break;
    case '0':
    case '\0':
      visit(long_name.empty() ? ustar_name(header) : std::exchange(long_name, {}), content);
      break;
    default: long_name.clear();
    }
  }
}

} // namespace weir::bench
