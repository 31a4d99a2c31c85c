/// Compares the streams that a program wrote with what is known of the capture.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <weir/tests/bench/mapped_file.hpp>
#include <weir/tests/bench/tar_reader.hpp>
#include <weir/tests/bench/truth.hpp>

namespace {

using namespace weir::bench;
namespace fs = std::filesystem;

constexpr std::string_view usage = R"(usage: weir-check-capture TRUTH [--tcpflow] OUTPUT

OUTPUT is what weir dump wrote, a folder or a tar archive; with --tcpflow what tcpflow wrote, a folder.
Exit status: 0 all streams are there and right, 1 they are not, 2 wrong usage.
)";

/// Truth lines, and how often each occurs.
using streams = std::unordered_map<std::string, int>;

streams read_truth(const std::string& path) {
  std::ifstream file{path};
  if (!file) throw std::runtime_error(path + ": cannot be read");
  streams expected;
  for (std::string line; std::getline(file, line);)
    ++expected[line];
  return expected;
}

std::string index_endpoint(const nlohmann::json& side) {
  const auto& address = side.at("address").get_ref<const std::string&>();
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", side.at("port").dump());
}

/// A stream with a file, as an index has it.
struct indexed_stream {
  std::string sender;
  std::string receiver;
  std::string file;
  std::size_t bytes;
};

std::vector<indexed_stream> read_index(std::string_view text) {
  std::vector<indexed_stream> index;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto row = nlohmann::json::parse(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    for (const auto& [from, to] : {std::pair{"client", "server"}, std::pair{"server", "client"}}) {
      const auto& sender = row.at(from);
      if (sender.contains("file"))
        index.push_back({index_endpoint(sender), index_endpoint(row.at(to)),
                         sender.at("file").get<std::string>(),
                         sender.at("bytes").get<std::size_t>()});
    }
  }
  return index;
}

void add(streams& written, const indexed_stream& s, weir::bytes_view content) {
  if (s.bytes != content.size())
    throw std::runtime_error(
        fmt::format("{}: has {} bytes, the index says {}", s.file, content.size(), s.bytes));
  ++written[truth_line(s.sender, s.receiver, content)];
}

streams read_folder(const fs::path& folder) {
  streams written;
  const mapped_file index{folder / "sessions.jsonl"};
  for (const auto& s : read_index(weir::as_text(index.bytes())))
    add(written, s, mapped_file{folder / s.file}.bytes());
  return written;
}

streams read_tar(const std::string& path) {
  const mapped_file archive{path};
  std::unordered_map<std::string, weir::bytes_view> members;
  for_each_tar_member(archive.bytes(), [&](const std::string& name, weir::bytes_view content) {
    if (!members.emplace(name, content).second)
      throw std::runtime_error(name + ": is twice in the archive");
  });
  const auto find = [&](const std::string& name) {
    const auto found = members.find(name);
    if (found == members.end()) throw std::runtime_error(name + ": is not in the archive");
    return found->second;
  };
  streams written;
  for (const auto& s : read_index(weir::as_text(find("sessions.jsonl"))))
    add(written, s, find(s.file));
  return written;
}

/// `010.001.000.001.40000`, as tcpflow writes an end.
std::string tcpflow_endpoint(const std::string& text) {
  static const std::regex form{R"(0*(\d+)\.0*(\d+)\.0*(\d+)\.0*(\d+)\.0*(\d+))"};
  return std::regex_replace(text, form, "$1.$2.$3.$4:$5");
}

streams read_tcpflow(const fs::path& folder) {
  static constexpr std::size_t end_length = 21;
  streams written;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.size() < 2 * end_length + 1 || name[end_length] != '-')
      continue;
    const mapped_file content{entry.path()};
    ++written[truth_line(tcpflow_endpoint(name.substr(0, end_length)),
                         tcpflow_endpoint(name.substr(end_length + 1, end_length)),
                         content.bytes())];
  }
  return written;
}

/// Prints the score and the first few differences.
bool compare(const streams& expected, const streams& written) {
  constexpr int shown_at_most = 5;
  int total = 0;
  int right = 0;
  int others = 0;
  int shown = 0;
  const auto show = [&](const char* what, const std::string& line) {
    if (shown++ < shown_at_most) fmt::print("  {}: {}\n", what, line);
  };
  for (const auto& [line, count] : expected) {
    const auto found = written.find(line);
    const auto same = found == written.end() ? 0 : std::min(count, found->second);
    total += count;
    right += same;
    if (same < count) show("missing", line);
  }
  for (const auto& [line, count] : written) {
    const auto found = expected.find(line);
    const auto known = found == expected.end() ? 0 : std::min(count, found->second);
    others += count - known;
    if (known < count) show("not expected", line);
  }
  fmt::print("{} of {} streams right, {} others\n", right, total, others);
  return right == total && others == 0;
}

} // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words{argv + 1, argv + argc};
  const bool tcpflow = words.size() == 3 && words[1] == "--tcpflow";
  if (words.size() != 2 && !tcpflow) {
    std::fputs(usage.data(), stderr);
    return 2;
  }
  const auto expected = read_truth(words[0]);
  const auto& output = words.back();
  const auto written = tcpflow                    ? read_tcpflow(output)
                       : fs::is_directory(output) ? read_folder(output)
                                                  : read_tar(output);
  return compare(expected, written) ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "weir-check-capture: %s\n", e.what());
  return 1;
}
