/// Sessions to write, and readers of what was written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <weir/net/memory_budget.hpp>
#include <weir/net/output/name_template.hpp>
#include <weir/net/output/session_store.hpp>

namespace weir::test {

inline ip_address address(const std::string& text) {
  std::byte bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return ip_address::v4(bytes);
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), bytes), 1) << text;
  return ip_address::v6(bytes);
}

/// 2026-01-31 23:59:59.123456 UTC.
inline constexpr timestamp sample_time{std::chrono::nanoseconds{1769903999'123456000}};

inline session_info sample_info(std::uint64_t id = 0x1234) {
  session_info info;
  info.id = id;
  info.client = {address("192.0.2.1"), 49152};
  info.server = {address("198.51.100.7"), 80};
  info.start = sample_time;
  return info;
}

inline name_template names(std::string_view text = name_template::default_text) {
  auto parsed = name_template::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message());
  return std::move(*parsed);
}

inline stream_piece piece(memory_budget& budget, std::string_view text, std::uint64_t offset = 0) {
  stream_piece p{charged_buffer{budget, text.size()}, offset};
  p.bytes.append(as_bytes(text));
  return p;
}

/// A session that ended a second and a half after it began, its streams in memory.
inline finished_session sample_session(memory_budget& budget, std::uint64_t id,
                                       std::string_view client, std::string_view server) {
  finished_session session;
  session.info = sample_info(id);
  session.summary.state = session_state::closed;
  session.summary.end = session.info.start + std::chrono::milliseconds{1500};
  const std::string_view texts[] = {client, server};
  for (const auto s : both_sides) {
    const auto text = texts[index(s)];
    session.summary[s].bytes = text.size();
    if (text.empty()) continue;
    session.streams[index(s)].rest.push_back(piece(budget, text));
    session.streams[index(s)].size = text.size();
  }
  return session;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Every line of an index, each of which must be JSON and end with a newline.
inline std::vector<nlohmann::json> read_index(const std::filesystem::path& path) {
  const auto text = read_file(path);
  EXPECT_TRUE(text.empty() || text.back() == '\n') << "a torn line";
  std::vector<nlohmann::json> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(nlohmann::json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

/// Names of all files below a folder, relative to it, sorted, but for the index.
inline std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder})
    if (!entry.is_directory() && entry.path().filename() != "sessions.jsonl")
      names.push_back(std::filesystem::relative(entry.path(), folder));
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace weir::test
