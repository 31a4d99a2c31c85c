#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "process_limits.hpp"
#include "tar_fixture.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

class tar_store_failures_test : public tar_fixture {};

/// What a reader finds must be what the index says, whatever could not be written.
void expect_that_index_and_entries_agree(const fs::path& to,
                                         const std::vector<nlohmann::json>& lines) {
  std::size_t files = 0;
  for (const auto& line : lines)
    for (const auto* s : {"client", "server"})
      if (line[s].contains("file")) {
        EXPECT_TRUE(fs::exists(to / line[s]["file"])) << line;
        EXPECT_FALSE(line[s].contains("error"));
        ++files;
      } else if (line[s]["bytes"] != 0) {
        EXPECT_TRUE(line[s].contains("error")) << line;
        EXPECT_EQ(line[s]["saved"], 0);
      }
  std::size_t entries = 0;
  for (const auto& name : files_in(to))
    if (!name.starts_with(".weir-lost-")) ++entries;
  EXPECT_EQ(files, entries);
}

TEST_F(tar_store_failures_test, says_so_when_the_reader_of_a_pipe_ends) {
  const auto fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  descriptor reader{open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  auto tar = tar_file::create(fifo);
  ASSERT_TRUE(tar);
  reader.close();
  auto store = make(*tar);
  store->finish(session(1, "lost", ""));
  store->close();
  EXPECT_EQ(store->counters().files_failed, 1U);
  EXPECT_EQ(store->counters().files, 0U);
  ASSERT_NE(store->first_error(), nullptr);
  EXPECT_NE(store->first_error()->message().find("broken pipe"), std::string::npos);
  EXPECT_FALSE((*tar)->close());
  std::signal(SIGPIPE, before);
}

TEST_F(tar_store_failures_test, on_failure_keeps_a_readable_archive_whose_index_is_true) {
  auto tar = create();
  auto store = make(tar);
  {
    // The first buffers fit, others do not, some fail in part.
    const file_size_limit limit{2'500'000};
    for (std::uint64_t id = 0; id < 3000; ++id)
      store->finish(session(id, std::string(500, 'c'), std::string(500, 's')));
    store->finish(session(5000, std::string(300'000, 'L'), ""));
    store->flush();
  }
  store->finish(session(6000, "again", ""));
  store->close();
  EXPECT_GT(store->counters().files_failed, 0U);
  EXPECT_GT(store->counters().files, 1000U);
  ASSERT_NE(store->first_error(), nullptr);
  EXPECT_NE(store->first_error()->message().find("file too large"), std::string::npos);
  EXPECT_FALSE(tar->close());
  const auto to = unpack();
  const auto lines = read_index(to / "sessions.jsonl");
  EXPECT_EQ(lines.size(), 3002U);
  expect_that_index_and_entries_agree(to, lines);
}

TEST_F(tar_store_failures_test, on_a_full_disk_keeps_a_readable_archive_whose_index_is_true) {
  const auto disk_folder = folder_ / "disk";
  fs::create_directory(disk_folder);
  const small_disk disk{disk_folder, 4 << 20};
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small file system";
  path_ = disk_folder / "out.tar";
  auto tar = create();
  auto store = make(tar);
  std::ofstream{disk_folder / "ballast"} << std::string(2 << 20, 'b');
  for (std::uint64_t id = 0; id < 1500; ++id)
    store->finish(session(id, std::string(500, 'c'), std::string(500, 's')));
  store->flush();
  EXPECT_GT(store->counters().files_failed, 0U);
  fs::remove(disk_folder / "ballast");
  store->finish(session(6000, "again", ""));
  store->close();
  (void)tar->close();
  const auto to = unpack();
  expect_that_index_and_entries_agree(to, read_index(to / "sessions.jsonl"));
}

TEST_F(tar_store_failures_test, says_how_much_of_a_large_stream_could_be_kept_aside) {
  auto tar = create();
  auto store = make(tar);
  {
    const file_size_limit limit{150'000};
    store->append(1, side::client, piece(budget_, std::string(100'000, 'a')));
    store->append(1, side::client, piece(budget_, std::string(100'000, 'b'), 100'000));
    store->append(1, side::client, piece(budget_, std::string(100'000, 'c'), 200'000));
  }
  auto end = spilled_session(1, 300'001);
  end.streams[0].rest.push_back(piece(budget_, "d", 300'000));
  store->finish(std::move(end));
  store->close();
  EXPECT_TRUE(tar->close());
  const auto to = unpack();
  EXPECT_EQ(read_file(to / "0000000000000001.client"),
            std::string(100'000, 'a') + std::string(50'000, 'b'));
  const auto line = read_index(to / "sessions.jsonl")[0];
  EXPECT_EQ(line["client"]["saved"], 150'000);
  EXPECT_EQ(line["client"]["error"], "file too large");
}

TEST_F(tar_store_failures_test, keeps_its_temporary_name_where_the_other_was_taken_meanwhile) {
  auto tar = create();
  auto store = make(tar);
  store->finish(session(1, "x", ""));
  store->close();
  std::ofstream{path_} << "someone's";
  const auto closed = tar->close();
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().message().find(".out.tar.part"), std::string::npos)
      << closed.error().message();
  EXPECT_EQ(read_file(path_), "someone's");
  EXPECT_EQ(run("tar -tf '" + (folder_ / ".out.tar.part").string() + "'").output,
            "0000000000000001.client\nsessions.jsonl\n");
}

TEST_F(tar_store_failures_test, tells_of_streams_whose_sessions_never_ended) {
  auto tar = create();
  auto store = make(tar);
  store->append(1, side::client, piece(budget_, "half"));
  store->close();
  EXPECT_EQ(store->counters().files_failed, 1U);
  EXPECT_NE(store->first_error(), nullptr);
}

} // namespace
} // namespace weir::test
