/// Archives for tests, and the programs that read them.
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <weir/net/output/tar_store.hpp>
#include <weir/tests/support/temp_dir.hpp>

#include "session_samples.hpp"

namespace weir::test {

/// Standard output of a command, and its exit status.
struct command_result {
  std::string output;
  int status;
};

inline command_result run(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  command_result out{};
  std::array<char, 4096> buffer;
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe))
    out.output.append(buffer.data(), n);
  out.status = pclose(pipe);
  return out;
}

inline bool installed(const std::string& program) {
  return run("command -v " + program).status == 0;
}

/// An archive in a folder of its own.
class tar_fixture : public testing::Test {
protected:
  std::shared_ptr<tar_file> create() {
    auto tar = tar_file::create(path_);
    EXPECT_TRUE(tar) << (tar ? "" : tar.error().message());
    return *tar;
  }

  static std::unique_ptr<session_store> make(std::shared_ptr<tar_file> tar,
                                             std::string_view name = "{id}.{side}") {
    return make_tar_store(std::move(tar), names(name));
  }

  finished_session session(std::uint64_t id, std::string_view client, std::string_view server) {
    return sample_session(budget_, id, client, server);
  }

  finished_session spilled_session(std::uint64_t id, std::uint64_t size) {
    auto s = session(id, "", "");
    s.streams[0].size = size;
    s.streams[0].spilled = true;
    return s;
  }

  void close(session_store& store, tar_file& tar) {
    store.close();
    EXPECT_EQ(store.first_error(), nullptr) << store.first_error()->message();
    const auto closed = tar.close();
    EXPECT_TRUE(closed) << closed.error().message();
  }

  /// Unpacks with GNU tar, which must have nothing to say.
  std::filesystem::path unpack() {
    const auto to = folder_ / "unpacked";
    std::filesystem::create_directories(to);
    const auto tar = run("tar -xf '" + path_ + "' -C '" + to.string() + "'");
    EXPECT_EQ(tar.status, 0);
    EXPECT_EQ(tar.output, "");
    return to;
  }

  temp_dir folder_;
  std::string path_ = folder_ / "out.tar";
  memory_budget budget_{1 << 30};
};

} // namespace weir::test
