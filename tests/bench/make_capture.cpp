/// Writes a capture file with known contents, the same on every run: see traffic.hpp for the kinds
/// and truth.hpp for the second file.
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

#include <weir/tests/bench/traffic.hpp>

namespace {

using namespace weir::bench;

constexpr std::string_view usage =
    "usage: weir-make-capture web|small|bulk [--scale FACTOR] OUT.pcap OUT.truth\n";

using maker = void (*)(double scale, capture& out);

maker find_maker(std::string_view kind) {
  if (kind == "web") return make_web;
  if (kind == "small") return make_small;
  if (kind == "bulk") return make_bulk;
  return nullptr;
}

struct options {
  maker make;
  double scale = 1;
  std::string pcap;
  std::string truth;
};

std::optional<options> parse(std::vector<std::string_view> words) {
  options o{};
  if (words.size() == 5 && words[1] == "--scale") {
    const auto text = words[2];
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), o.scale);
    if (failed != std::errc{} || end != text.data() + text.size() || !(o.scale > 0)) return {};
    words.erase(words.begin() + 1, words.begin() + 3);
  }
  if (words.size() != 3) return {};
  o.make = find_maker(words[0]);
  o.pcap = words[1];
  o.truth = words[2];
  return o.make != nullptr ? std::optional{o} : std::nullopt;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();
  if (!file) throw std::runtime_error(path + ": cannot be written");
}

} // namespace

int main(int argc, char** argv) try {
  const auto options = parse({argv + 1, argv + argc});
  if (!options) {
    std::fputs(usage.data(), stderr);
    return 2;
  }
  capture out{pcap_writer{options->pcap}, {}};
  options->make(options->scale, out);
  out.packets.close();
  write_file(options->truth, out.truth);
  std::printf("%s: %.1f MB, %llu packets\n", options->pcap.c_str(),
              static_cast<double>(out.packets.bytes()) / 1e6,
              static_cast<unsigned long long>(out.packets.packets()));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "weir-make-capture: %s\n", e.what());
  return 1;
}
