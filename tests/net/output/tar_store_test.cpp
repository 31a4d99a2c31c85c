#include <thread>

#include <sys/stat.h>

#include <fmt/format.h>

#include <weir/net/output/tar_header.hpp>

#include "process_limits.hpp"
#include "tar_fixture.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

class tar_store_test : public tar_fixture {};

TEST_F(tar_store_test, writes_an_entry_for_each_stream_and_the_index_last) {
  auto tar = create();
  auto store = make(tar);
  store->finish(session(1, "request", "response"));
  store->finish(session(2, "", std::string(512, 'x')));
  store->finish(session(3, "", ""));
  EXPECT_FALSE(fs::exists(path_)) << "has its name only when it is complete";
  close(*store, *tar);

  EXPECT_EQ(run("tar -tf '" + path_ + "'").output, "0000000000000001.client\n"
                                                   "0000000000000001.server\n"
                                                   "0000000000000002.server\n"
                                                   "sessions.jsonl\n");
  const auto to = unpack();
  EXPECT_EQ(read_file(to / "0000000000000001.client"), "request");
  EXPECT_EQ(read_file(to / "0000000000000002.server"), std::string(512, 'x'));
  const auto lines = read_index(to / "sessions.jsonl");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["server"]["file"], "0000000000000001.server");
  EXPECT_FALSE(lines[2]["client"].contains("file"));
  EXPECT_EQ(store->counters().files, 3U);
  EXPECT_EQ(store->counters().sessions, 3U);
  EXPECT_EQ(fs::file_size(path_) % 512, 0U);
  EXPECT_EQ(std::distance(fs::directory_iterator{folder_.path()}, {}), 2) << "no leftovers";
}

TEST_F(tar_store_test, of_nothing_is_an_archive_with_an_empty_index) {
  auto tar = create();
  auto store = make(tar);
  close(*store, *tar);
  EXPECT_EQ(run("tar -tf '" + path_ + "'").output, "sessions.jsonl\n");
}

TEST_F(tar_store_test, gives_entries_the_time_of_their_sessions_end) {
  auto tar = create();
  auto store = make(tar);
  auto early = session(1, "x", "");
  early.summary.end -= std::chrono::hours{1};
  store->finish(session(2, "y", ""));
  store->finish(std::move(early));
  close(*store, *tar);
  EXPECT_EQ(run("tar --utc --full-time -tvf '" + path_ + "' | awk '{print $4, $5, $6}'").output,
            "2026-02-01 00:00:00 0000000000000002.client\n"
            "2026-01-31 23:00:00 0000000000000001.client\n"
            "2026-02-01 00:00:00 sessions.jsonl\n");
}

TEST_F(tar_store_test, makes_names_unique_by_itself) {
  auto tar = create();
  auto store = make(tar, "{client}/{server}.bin");
  store->finish(session(1, "client 1", "server 1"));
  store->finish(session(2, "client 2", ""));
  close(*store, *tar);
  const auto to = unpack();
  EXPECT_EQ(files_in(to),
            (std::vector<std::string>{"192.0.2.1/198.51.100.7-0000000000000001.client.bin",
                                      "192.0.2.1/198.51.100.7-0000000000000001.server.bin",
                                      "192.0.2.1/198.51.100.7-0000000000000002.client.bin"}));
  EXPECT_EQ(read_index(to / "sessions.jsonl")[1]["client"]["file"],
            "192.0.2.1/198.51.100.7-0000000000000002.client.bin");
}

TEST_F(tar_store_test, keeps_large_streams_aside_until_their_sessions_end) {
  auto tar = create();
  auto store = make(tar);
  const std::string chunk(300'000, 'a');
  for (std::uint64_t i = 0; i < 5; ++i) {
    store->append(1, side::client, piece(budget_, chunk, i * chunk.size()));
    store->append(2, side::client, piece(budget_, fmt::format("{:05}", i), i * 5));
  }
  auto one = spilled_session(1, 5 * chunk.size() + 3);
  one.streams[0].rest.push_back(piece(budget_, "end", 5 * chunk.size()));
  store->finish(std::move(one));
  store->append(2, side::client, piece(budget_, "after", 25));
  store->finish(spilled_session(2, 30));
  store->append(3, side::client, piece(budget_, "new"));
  store->finish(spilled_session(3, 3));
  store->finish(session(4, std::string(900'000, 'm'), "small"));
  EXPECT_EQ(budget_.used(), 0U);
  close(*store, *tar);
  const auto to = unpack();
  EXPECT_EQ(read_file(to / "0000000000000001.client"), std::string(1'500'000, 'a') + "end");
  EXPECT_EQ(read_file(to / "0000000000000002.client"), "0000000001000020000300004after");
  EXPECT_EQ(read_file(to / "0000000000000003.client"), "new");
  EXPECT_EQ(read_file(to / "0000000000000004.client"), std::string(900'000, 'm'));
  EXPECT_EQ(read_file(to / "0000000000000004.server"), "small");
}

TEST_F(tar_store_test, writes_any_number_of_large_streams_with_few_descriptors) {
  const auto open_now = static_cast<rlim_t>(
      std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
  auto tar = create();
  auto store = make(tar);
  {
    const lowered_limit limit{RLIMIT_NOFILE, open_now + 8};
    for (std::uint64_t round = 0; round < 2; ++round)
      for (std::uint64_t id = 0; id < 2000; ++id)
        store->append(id, side::client, piece(budget_, fmt::format("{:5}", id), round * 5));
    for (std::uint64_t id = 0; id < 2000; ++id)
      store->finish(spilled_session(id, 10));
  }
  close(*store, *tar);
  const auto to = unpack();
  for (std::uint64_t id = 0; id < 2000; ++id)
    ASSERT_EQ(read_file(to / fmt::format("{:016x}.client", id)), fmt::format("{0:5}{0:5}", id));
}

TEST_F(tar_store_test, fills_gaps_with_zeros_and_takes_no_room_for_them) {
  auto tar = create();
  auto store = make(tar);
  constexpr std::uint64_t huge = (std::uint64_t{9} << 30) + 1; // more than ustar's 8 GiB
  auto small = session(1, "", "");
  small.streams[0].rest.push_back(piece(budget_, "a", 2));
  small.streams[0].rest.push_back(piece(budget_, "b", 600));
  small.streams[0].size = 700;
  store->finish(std::move(small));
  store->append(2, side::client, piece(budget_, "begin", 3));
  auto large = spilled_session(2, huge + 5);
  large.streams[0].rest.push_back(piece(budget_, "end", huge));
  store->finish(std::move(large));
  close(*store, *tar);
  struct stat about {};
  ASSERT_EQ(stat(path_.c_str(), &about), 0);
  EXPECT_GT(static_cast<std::uint64_t>(about.st_size), huge);
  EXPECT_LT(about.st_blocks, 200);
  const auto listed = run("tar -tvf '" + path_ + "'").output;
  EXPECT_NE(listed.find(" 700 "), listed.npos) << listed;
  EXPECT_NE(listed.find(" " + std::to_string(huge + 5) + " "), listed.npos) << listed;
  std::string expected(700, '\0');
  expected[2] = 'a';
  expected[600] = 'b';
  EXPECT_EQ(run("tar -xOf '" + path_ + "' 0000000000000001.client").output, expected);
  // Far into the entry, which comes first: its header, then its bytes.
  const auto at = 512 + huge;
  EXPECT_EQ(run(fmt::format("tail -c +{} '{}' | head -c 6", at, path_)).output,
            std::string("\0end\0\0", 6));
}

TEST_F(tar_store_test, has_room_for_long_names) {
  auto tar = create();
  std::string name;
  for (int i = 0; i < 4; ++i)
    name += std::string(190, static_cast<char>('a' + i)) + '/';
  auto pax = make(tar, name + "{id}.{side}");
  auto prefix = make(tar, std::string(99, 'p') + '/' + std::string(60, 'n') + "{id}.{side}");
  pax->finish(session(1, "client", "server"));
  prefix->finish(session(2, "client", ""));
  pax->close();
  close(*prefix, *tar);
  const auto to = unpack();
  const auto names = files_in(to);
  EXPECT_EQ(names,
            (std::vector<std::string>{
                name + "0000000000000001.client", name + "0000000000000001.server",
                std::string(99, 'p') + '/' + std::string(60, 'n') + "0000000000000002.client"}));
}

TEST_F(tar_store_test, divides_names_of_every_length) {
  std::string archive;
  std::string expected;
  for (std::size_t folder = 1; folder <= 200; folder += 7)
    for (std::size_t leaf = 1; leaf <= 200; leaf += 9) {
      const auto name = std::string(folder, 'f') + '/' + std::string(leaf, 'l');
      append_tar_header(name, 0, sample_time, archive);
      expected += name + '\n';
    }
  archive.append(1024, '\0');
  std::ofstream{path_, std::ios::binary} << archive;
  EXPECT_EQ(run("tar -tf '" + path_ + "'").output, expected);
}

TEST_F(tar_store_test, is_read_by_python) {
  if (!installed("python3")) GTEST_SKIP() << "python3 is not installed";
  auto tar = create();
  auto store = make(tar, std::string(190, 'a') + '/' + std::string(150, 'b') + "{id}.{side}");
  store->finish(session(1, "client", "server"));
  close(*store, *tar);
  const auto script = "import tarfile, sys\n"
                      "t = tarfile.open(sys.argv[1])\n"
                      "for m in t: print(len(m.name), m.size, m.mtime, m.mode, m.isfile())\n";
  std::ofstream{folder_ / "list.py"} << script;
  const auto listed = run("python3 '" + (folder_ / "list.py").string() + "' '" + path_ + "'");
  const auto index = run("tar -xOf '" + path_ + "' sessions.jsonl").output.size();
  EXPECT_EQ(listed.output, fmt::format("364 6 1769904000 420 True\n364 6 1769904000 420 True\n"
                                       "14 {} 1769904000 420 True\n",
                                       index));
}

TEST_F(tar_store_test, is_read_by_bsdtar) {
  if (!installed("bsdtar")) GTEST_SKIP() << "bsdtar is not installed";
  auto tar = create();
  auto store = make(tar, std::string(190, 'a') + '/' + std::string(150, 'b') + "{id}.{side}");
  store->finish(session(1, "client", ""));
  close(*store, *tar);
  const auto listed = run("bsdtar -tf '" + path_ + "'");
  EXPECT_EQ(listed.status, 0);
  EXPECT_EQ(listed.output, std::string(190, 'a') + '/' + std::string(150, 'b')
                               + "0000000000000001.client\nsessions.jsonl\n");
}

TEST_F(tar_store_test, lets_several_stores_write_at_the_same_time) {
  auto tar = create();
  const auto write = [&](std::uint64_t first) {
    memory_budget budget{1 << 30};
    auto store = make(tar);
    for (std::uint64_t id = first; id < first + 3000; ++id) {
      store->finish(
          sample_session(budget, id, fmt::format("client {}", id), std::string(id % 1000, 's')));
      if (id % 500 == 0) {
        store->append(id + 100'000, side::client, piece(budget, std::string(200'000, 'x')));
        auto end = sample_session(budget, id + 100'000, "", "");
        end.streams[0].size = 200'000;
        end.streams[0].spilled = true;
        store->finish(std::move(end));
      }
    }
    store->close();
    EXPECT_EQ(store->first_error(), nullptr);
  };
  std::thread other{write, 10'000};
  write(20'000);
  other.join();
  EXPECT_TRUE(tar->close());
  const auto to = unpack();
  const auto lines = read_index(to / "sessions.jsonl");
  EXPECT_EQ(lines.size(), 6012U);
  for (const auto& line : lines) {
    const auto id = std::stoull(line["id"].get<std::string>(), nullptr, 16);
    const auto expected = id > 100'000 ? std::string(200'000, 'x') : fmt::format("client {}", id);
    ASSERT_EQ(read_file(to / line["client"]["file"]), expected);
    if (line["server"].contains("file")) {
      ASSERT_EQ(read_file(to / line["server"]["file"]), std::string(id % 1000, 's'));
    }
  }
}

TEST_F(tar_store_test, never_overwrites_a_file) {
  std::ofstream{path_} << "someone's";
  const auto tar = tar_file::create(path_);
  ASSERT_FALSE(tar);
  EXPECT_EQ(tar.error().code, errc::already_exists);
  EXPECT_NE(tar.error().message().find(path_), std::string::npos);
  EXPECT_EQ(read_file(path_), "someone's");
}

TEST_F(tar_store_test, names_the_file_that_cannot_be_made) {
  path_ = folder_ / "missing/out.tar";
  const auto tar = tar_file::create(path_);
  ASSERT_FALSE(tar);
  EXPECT_NE(tar.error().message().find(path_ + ": no such file"), std::string::npos)
      << tar.error().message();
}

TEST_F(tar_store_test, can_be_written_to_a_pipe) {
  const auto fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::thread reader{[&] { run("cat '" + fifo.string() + "' > '" + path_ + "'"); }};
  auto tar = tar_file::create(fifo);
  ASSERT_TRUE(tar) << tar.error().message();
  auto store = make(*tar);
  auto other = make(*tar);
  for (std::uint64_t id = 0; id < 2000; ++id)
    store->finish(session(id, "client", "server"));
  other->append(5000, side::client, piece(budget_, std::string(300'000, 'x')));
  auto end = spilled_session(5000, 500'000);
  end.streams[0].rest.push_back(piece(budget_, "end", 499'000));
  other->finish(std::move(end));
  other->close();
  close(*store, **tar);
  tar->reset();
  reader.join();
  const auto to = unpack();
  EXPECT_EQ(files_in(to).size(), 4001U);
  EXPECT_EQ(read_file(to / "0000000000001388.client"), std::string(300'000, 'x')
                                                           + std::string(199'000, '\0') + "end"
                                                           + std::string(997, '\0'));
}

TEST_F(tar_store_test, shows_what_was_finished_when_asked_to) {
  auto tar = create();
  auto store = make(tar);
  store->finish(session(1, "x", ""));
  store->flush();
  EXPECT_EQ(store->counters().sessions, 1U);
  EXPECT_GT(fs::file_size(folder_ / ".out.tar.part"), 0U);
  close(*store, *tar);
}

} // namespace
} // namespace weir::test
