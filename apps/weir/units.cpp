#include <weir/apps/weir/units.hpp>

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace weir::app {

namespace {

using unit = std::pair<std::string_view, double>;

constexpr unit time_units[] = {{"", 1},     {"s", 1},    {"ms", 1e-3}, {"m", 60},
                               {"min", 60}, {"h", 3600}, {"d", 86400}};
constexpr unit size_units[] = {{"", 1},       {"k", 0x1p10}, {"K", 0x1p10},
                               {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}};

/// A number and a unit, up to `limit` in the unit of factor one.
template<std::size_t N>
std::optional<double> parse(const std::string& text, const unit (&units)[N], double limit) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view suffix{rest, static_cast<std::size_t>(end - rest)};
  for (const auto& [name, factor] : units) {
    if (suffix == name && number * factor <= limit) return number * factor;
  }
  return std::nullopt;
}

} // namespace

CLI::Option* add_duration(CLI::App& app, const std::string& name, duration& value,
                          const std::string& description) {
  const auto take = [&value](const std::string& text) {
    const auto seconds = parse(text, time_units, 1e9);
    if (!seconds) return false;
    value = std::chrono::duration_cast<duration>(std::chrono::duration<double>{*seconds});
    return true;
  };
  return app
      .add_option_function<std::string>(
          name,
          [take, name](const std::string& text) {
            if (!take(text))
              throw CLI::ValidationError{
                  name, fmt::format("\"{}\" is not a time such as 90s, 5m or 2h", text)};
          },
          description)
      ->type_name("TIME");
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& value,
                      const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            const auto bytes = parse(text, size_units, 0x1p60);
            if (!bytes)
              throw CLI::ValidationError{
                  name, fmt::format("\"{}\" is not a size such as 4096, 64k or 10M", text)};
            value = static_cast<std::uint64_t>(*bytes);
          },
          description)
      ->type_name("SIZE");
}

std::string human_bytes(double bytes) {
  constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t i = 0;
  while (bytes >= 1000 && i + 1 < std::size(units)) {
    bytes /= 1000;
    ++i;
  }
  return i == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.3g} {}", bytes, units[i]);
}

std::string grouped(std::uint64_t number) {
  auto text = fmt::to_string(number);
  for (auto at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

} // namespace weir::app
