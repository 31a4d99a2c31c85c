/// Runs the weir command as a user would, and reads what it wrote.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <weir/net/bytes.hpp>

namespace weir::test {

struct outcome {
  /// Exit status, or minus the signal that ended it.
  int status = 0;
  std::string out;
  std::string err;
  /// Most memory that it had at a time, in bytes.
  std::size_t peak_memory = 0;
};

struct command_options {
  bytes_view input = {};
  /// RLIMIT_NOFILE; zero: as it is.
  std::size_t open_files = 0;
  /// RLIMIT_DATA: bytes that it may have for itself to write to, threads' stacks included; zero: as
  /// it is.
  std::size_t memory = 0;
  /// Then it is killed.
  std::chrono::seconds patience{240};
};

/// Runs `weir` with these arguments. Throws std::system_error where it cannot be run.
outcome weir(const std::vector<std::string>& arguments, const command_options& options = {});

std::string read_file(const std::filesystem::path& path);

/// The lines of an index, in the order of the sessions' starts.
std::vector<nlohmann::json> read_index(const std::filesystem::path& folder);

} // namespace weir::test
