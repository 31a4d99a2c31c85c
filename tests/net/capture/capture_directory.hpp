/// A place for capture files, and reading several of them as one.
#pragma once

#include <weir/net/capture/capture_files.hpp>
#include <weir/tests/net/capture/reading.hpp>
#include <weir/tests/support/temp_dir.hpp>

namespace weir::test {

inline std::vector<std::string> texts(const whole& all) {
  std::vector<std::string> found;
  for (const auto& p : all.packets)
    found.push_back(p.bytes);
  return found;
}

using strings = std::vector<std::string>;

/// Tests that read files of their own.
class capture_files : public testing::Test {
protected:
  std::string path(std::string_view name) const { return (dir_ / name).string(); }

  std::string put(std::string_view name, bytes_view bytes) const {
    write_file(dir_ / name, bytes);
    return path(name);
  }

  whole read(const strings& paths) const {
    auto source = open_capture_files(paths);
    if (!source) {
      ADD_FAILURE() << source.error().message();
      return {};
    }
    return read_all(**source);
  }

  temp_dir dir_;
};

} // namespace weir::test
