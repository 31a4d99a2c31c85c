/// A folder store for tests.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include <weir/net/output/file_store.hpp>
#include <weir/tests/support/temp_dir.hpp>

#include "session_samples.hpp"

namespace weir::test {

/// An output folder in a folder of its own.
class file_store_fixture : public testing::Test {
protected:
  std::shared_ptr<output_folder> open() {
    auto folder = output_folder::open(out_);
    EXPECT_TRUE(folder) << (folder ? "" : folder.error().message());
    return *folder;
  }

  static std::unique_ptr<session_store> make(std::shared_ptr<output_folder> folder,
                                             std::string_view name = "{id}.{side}",
                                             std::size_t max_open_files = 64) {
    return make_file_store(std::move(folder), {names(name), max_open_files});
  }

  finished_session session(std::uint64_t id, std::string_view client, std::string_view server) {
    return sample_session(budget_, id, client, server);
  }

  std::vector<nlohmann::json> index() const { return read_index(out_ / "sessions.jsonl"); }

  temp_dir folder_;
  std::filesystem::path out_ = folder_ / "out";
  memory_budget budget_{1 << 30};
};

} // namespace weir::test
