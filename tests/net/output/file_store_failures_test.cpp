#include <weir/net/output/file_store.hpp>

#include <weir/tests/support/temp_dir.hpp>

#include "process_limits.hpp"
#include "session_samples.hpp"

namespace weir::test {
namespace {

class file_store_failures_test : public testing::Test {
protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "needs the right to mount a small file system";
    auto folder = output_folder::open(out_);
    ASSERT_TRUE(folder) << folder.error().message();
    folder_ = *folder;
    store_ = make_file_store(folder_, {names("{id}.{side}")});
  }

  finished_session session(std::uint64_t id, std::size_t size) {
    return sample_session(budget_, id, std::string(size, 'x'), "");
  }

  std::vector<nlohmann::json> index() const { return read_index(out_ + "/sessions.jsonl"); }

  temp_dir mount_point_;
  small_disk disk_{mount_point_.path(), 256 << 10};
  std::string out_ = mount_point_ / "out";
  memory_budget budget_{1 << 30};
  std::shared_ptr<output_folder> folder_;
  std::unique_ptr<session_store> store_;
};

TEST_F(file_store_failures_test, on_a_full_disk_saves_what_it_can_and_says_what_it_could_not) {
  store_->finish(session(1, 1000));
  store_->finish(session(2, 1'000'000));
  store_->flush();
  std::filesystem::remove(out_ + "/0000000000000002.client");
  store_->finish(session(3, 1000));
  store_->close();

  const auto lines = index();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_FALSE(lines[0]["client"].contains("error"));
  EXPECT_EQ(lines[1]["client"]["error"], "no space left on device");
  EXPECT_EQ(lines[1]["client"]["file"], "0000000000000002.client");
  EXPECT_GT(lines[1]["client"]["saved"], 100'000);
  EXPECT_LT(lines[1]["client"]["saved"], 256 << 10);
  EXPECT_FALSE(lines[2]["client"].contains("error")) << "there is room again";
  EXPECT_EQ(read_file(out_ + "/0000000000000003.client").size(), 1000U);
  EXPECT_EQ(store_->counters().files_failed, 1U);
  ASSERT_NE(store_->first_error(), nullptr);
  EXPECT_EQ(store_->first_error()->code, errc::no_space);
  EXPECT_EQ(store_->first_error()->subject, out_ + "/0000000000000002.client");
  EXPECT_NE(store_->first_error()->detail.find("make room"), std::string::npos);
}

TEST_F(file_store_failures_test, on_a_full_disk_keeps_the_begin_of_a_large_stream) {
  const std::string chunk(50'000, 'x');
  std::uint64_t size = 0;
  for (; size < 500'000; size += chunk.size())
    store_->append(9, side::client, piece(budget_, chunk, size));
  auto end = session(9, 0);
  end.streams[0].rest.push_back(piece(budget_, chunk, size));
  end.streams[0].size = size + chunk.size();
  end.streams[0].spilled = true;
  store_->finish(std::move(end));
  const auto saved = std::filesystem::file_size(out_ + "/0000000000000009.client");
  std::filesystem::remove(out_ + "/0000000000000009.client");
  store_->close();

  EXPECT_EQ(index()[0]["client"]["saved"], saved);
  EXPECT_GT(saved, 100'000U);
  EXPECT_EQ(files_in(out_), std::vector<std::string>{});
}

TEST_F(file_store_failures_test, writes_index_lines_when_there_is_room_again) {
  // Files cannot grow, but new ones without data can be made: only the index suffers.
  store_->finish(session(1, 0));
  {
    const file_size_limit limit{100};
    store_->flush();
    store_->finish(session(2, 0));
    store_->flush();
  }
  store_->finish(session(3, 0));
  store_->close();
  const auto lines = index();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["id"], "0000000000000001");
  EXPECT_EQ(lines[2]["id"], "0000000000000003");
  EXPECT_EQ(store_->counters().index_lines_lost, 0U);
  EXPECT_EQ(store_->first_error()->subject, out_ + "/sessions.jsonl");
}

TEST_F(file_store_failures_test, counts_index_lines_that_it_could_not_write) {
  const file_size_limit limit{100};
  for (std::uint64_t id = 0; id < 10; ++id)
    store_->finish(session(id, 0));
  store_->close();
  EXPECT_EQ(store_->counters().index_lines_lost, 9U) << "the first was begun";
  store_.reset();
  folder_.reset();
  EXPECT_EQ(index().size(), 0U) << "no half line is left";
}

TEST_F(file_store_failures_test,
       keeps_its_memory_within_a_limit_while_the_index_cannot_be_written) {
  const file_size_limit limit{0};
  for (std::uint64_t id = 0; id < 100'000; ++id)
    store_->finish(session(id, 0));
  EXPECT_GT(store_->counters().index_lines_lost, 0U);
  EXPECT_EQ(store_->counters().sessions, 100'000U);
}

} // namespace
} // namespace weir::test
