#include "file_store_fixture.hpp"

#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::test {
namespace {

namespace fs = std::filesystem;

class file_store_test : public file_store_fixture {};

struct stamps {
  timestamp access;
  timestamp modification;
};

stamps times_of(const fs::path& path) {
  struct stat about {};
  EXPECT_EQ(stat(path.c_str(), &about), 0) << path;
  const auto convert = [](const timespec& t) {
    return timestamp{std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}};
  };
  return {convert(about.st_atim), convert(about.st_mtim)};
}

TEST_F(file_store_test, writes_a_file_for_each_stream_and_a_line_for_each_session) {
  auto store = make(open());
  store->finish(session(1, "request", "response"));
  store->finish(session(2, "", "only the server"));
  store->finish(session(3, "", ""));
  store->close();

  EXPECT_EQ(files_in(out_),
            (std::vector<std::string>{"0000000000000001.client", "0000000000000001.server",
                                      "0000000000000002.server"}));
  EXPECT_EQ(read_file(out_ / "0000000000000001.client"), "request");
  EXPECT_EQ(read_file(out_ / "0000000000000001.server"), "response");
  const auto lines = index();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["id"], "0000000000000001");
  EXPECT_EQ(lines[0]["client"]["file"], "0000000000000001.client");
  EXPECT_EQ(lines[1]["server"]["file"], "0000000000000002.server");
  EXPECT_FALSE(lines[1]["client"].contains("file"));
  EXPECT_FALSE(lines[2]["server"].contains("file"));
  EXPECT_EQ(store->first_error(), nullptr);
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(file_store_test, counts_what_it_wrote) {
  auto store = make(open());
  auto one = session(1, "request", "response");
  one.info.midstream = true;
  one.summary[side::client].missing = 10;
  one.summary[side::client].gap_count = 2;
  one.summary[side::server].conflicting = 3;
  one.summary[side::server].skipped = 4;
  store->finish(std::move(one));
  auto two = session(2, "", "x");
  two.summary.state = session_state::reset;
  store->finish(std::move(two));
  store->close();

  store_counters sum;
  sum.add(store->counters());
  sum.add(store->counters());
  EXPECT_EQ(sum.sessions, 4U);
  EXPECT_EQ(sum.by_state[static_cast<std::size_t>(session_state::closed)], 2U);
  EXPECT_EQ(sum.by_state[static_cast<std::size_t>(session_state::reset)], 2U);
  EXPECT_EQ(sum.files, 6U);
  EXPECT_EQ(sum.bytes, 32U);
  EXPECT_EQ(sum.bytes_missing, 20U);
  EXPECT_EQ(sum.gaps, 4U);
  EXPECT_EQ(sum.bytes_conflicting, 6U);
  EXPECT_EQ(sum.bytes_skipped, 8U);
  EXPECT_EQ(sum.midstream, 2U);
  EXPECT_EQ(sum.files_failed, 0U);
  EXPECT_EQ(sum.index_lines_lost, 0U);
}

TEST_F(file_store_test, gives_files_the_times_of_the_packets) {
  auto store = make(open());
  auto spilled = session(2, "", "");
  store->append(2, side::client, piece(budget_, "spilled"));
  spilled.streams[0].size = 7;
  spilled.streams[0].spilled = true;
  store->finish(session(1, "in memory", ""));
  store->finish(std::move(spilled));
  store->close();
  for (const auto* name : {"0000000000000001.client", "0000000000000002.client"}) {
    const auto [access, modification] = times_of(out_ / name);
    EXPECT_EQ(access, sample_time) << name;
    EXPECT_EQ(modification, sample_time + std::chrono::milliseconds{1500}) << name;
  }
}

TEST_F(file_store_test, writes_large_streams_as_they_grow) {
  auto store = make(open());
  store->append(7, side::server, piece(budget_, "one "));
  store->append(7, side::server, piece(budget_, "two ", 4));
  EXPECT_EQ(files_in(out_), std::vector<std::string>{".weir-0000000000000007-server.part"});
  auto end = session(7, "request", "");
  end.streams[1].rest.push_back(piece(budget_, "three", 8));
  end.streams[1].size = 13;
  end.streams[1].spilled = true;
  store->finish(std::move(end));
  EXPECT_EQ(files_in(out_),
            (std::vector<std::string>{"0000000000000007.client", "0000000000000007.server"}));
  EXPECT_EQ(read_file(out_ / "0000000000000007.server"), "one two three");
}

TEST_F(file_store_test, fills_gaps_with_holes) {
  auto store = make(open());
  constexpr std::uint64_t huge = std::uint64_t{1} << 32;
  auto memory = session(1, "", "");
  memory.streams[0].rest.push_back(piece(budget_, "a", 2));
  memory.streams[0].rest.push_back(piece(budget_, "b", huge));
  memory.streams[0].size = huge + 5;
  store->finish(std::move(memory));
  store->append(2, side::client, piece(budget_, "a", 2));
  auto spilled = session(2, "", "");
  spilled.streams[0].rest.push_back(piece(budget_, "b", huge));
  spilled.streams[0].size = huge + 5;
  spilled.streams[0].spilled = true;
  store->finish(std::move(spilled));
  store->close();

  for (const auto* name : {"0000000000000001.client", "0000000000000002.client"}) {
    struct stat about {};
    ASSERT_EQ(stat((out_ / name).c_str(), &about), 0);
    EXPECT_EQ(static_cast<std::uint64_t>(about.st_size), huge + 5);
    EXPECT_LT(about.st_blocks, 100) << "sparse";
    std::ifstream file{out_ / name, std::ios::binary};
    std::string begin(4, '~');
    file.read(begin.data(), 4);
    EXPECT_EQ(begin, std::string("\0\0a\0", 4));
    file.seekg(huge);
    std::string end(5, '~');
    file.read(end.data(), 5);
    EXPECT_EQ(end, std::string("b\0\0\0\0", 5));
  }
  EXPECT_EQ(store->first_error(), nullptr);
}

TEST_F(file_store_test, makes_missing_folders_with_their_parents) {
  out_ = folder_ / "a/b/c";
  auto store = make(open(), "{start:%Y}/{client}/{side}");
  store->finish(session(1, "x", "y"));
  store->close();
  EXPECT_EQ(files_in(out_),
            (std::vector<std::string>{"2026/192.0.2.1/client", "2026/192.0.2.1/server"}));
  EXPECT_EQ(index()[0]["client"]["file"], "2026/192.0.2.1/client");
}

TEST_F(file_store_test, makes_more_folders_than_it_keeps_open) {
  auto store = make(open(), "{id}/{client_port}/{side}");
  for (int round = 0; round < 2; ++round)
    for (std::uint64_t id = 0; id < 50; ++id) {
      auto s = session(id, "x", "");
      s.info.client.port = static_cast<std::uint16_t>(round);
      store->finish(std::move(s));
    }
  store->close();
  EXPECT_EQ(files_in(out_).size(), 100U);
  EXPECT_EQ(store->first_error(), nullptr);
}

TEST_F(file_store_test, makes_a_folder_again_that_someone_removed) {
  auto store = make(open(), "sub/{id}");
  store->finish(session(1, "x", ""));
  fs::remove_all(out_ / "sub");
  store->finish(session(2, "y", ""));
  store->close();
  EXPECT_EQ(files_in(out_), std::vector<std::string>{"sub/0000000000000002"});
}

TEST_F(file_store_test, never_overwrites_a_file) {
  auto folder = open();
  std::ofstream{out_ / "192.0.2.1.bin"} << "someone's";
  auto store = make(folder, "{client}.bin");
  for (std::uint64_t id = 1; id <= 30; ++id)
    store->finish(session(id, fmt::format("{}", id), ""));
  store->close();
  EXPECT_EQ(read_file(out_ / "192.0.2.1.bin"), "someone's");
  EXPECT_EQ(read_file(out_ / "192.0.2.1.2.bin"), "1");
  EXPECT_EQ(read_file(out_ / "192.0.2.1.9.bin"), "8");
  EXPECT_EQ(read_file(out_ / "192.0.2.1-0000000000000009.bin"), "9");
  EXPECT_EQ(files_in(out_).size(), 31U);
  for (const auto& line : index())
    EXPECT_EQ(read_file(out_ / line["client"]["file"]),
              std::to_string(std::stoull(line["id"].get<std::string>(), nullptr, 16)));
}

TEST_F(file_store_test, keeps_both_sides_where_the_template_does_not_tell_them_apart) {
  auto store = make(open(), "{id}");
  store->finish(session(1, "client's", "server's"));
  store->close();
  EXPECT_EQ(read_file(out_ / "0000000000000001"), "client's");
  EXPECT_EQ(read_file(out_ / "0000000000000001.2"), "server's");
}

TEST_F(file_store_test, keeps_off_its_own_index) {
  auto store = make(open(), "sessions.jsonl");
  store->finish(session(1, "hostile", ""));
  store->close();
  EXPECT_EQ(index()[0]["client"]["file"], "sessions.2.jsonl");
}

TEST_F(file_store_test, says_so_when_every_name_is_taken) {
  auto store = make(open(), "x");
  for (int i = 0; i < 40; ++i)
    store->finish(session(1, "the same id each time", ""));
  store->close();
  EXPECT_EQ(files_in(out_).size(), 18U);
  EXPECT_EQ(store->counters().files_failed, 22U);
  const auto last = index().back();
  EXPECT_EQ(last["client"]["error"], "file exists");
  EXPECT_EQ(last["client"]["saved"], 0);
  EXPECT_FALSE(last["client"].contains("file"));
}

TEST_F(file_store_test, follows_no_symbolic_link_out_of_the_folder) {
  auto folder = open();
  fs::create_directory(folder_ / "elsewhere");
  fs::create_directory_symlink(folder_ / "elsewhere", out_ / "192.0.2.1");
  fs::create_symlink(folder_ / "elsewhere/target", out_ / "0000000000000002.client");
  auto store = make(folder, "{client}/{id}");
  store->finish(session(1, "x", ""));
  auto other = make(folder);
  other->finish(session(2, "y", ""));
  store->close();
  other->close();
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
  ASSERT_NE(store->first_error(), nullptr);
  EXPECT_NE(store->first_error()->message().find("192.0.2.1/0000000000000001"), std::string::npos)
      << store->first_error()->message();
  EXPECT_EQ(store->counters().files_failed, 1U);
  EXPECT_EQ(read_file(out_ / "0000000000000002.2.client"), "y");
}

TEST_F(file_store_test, refuses_a_folder_with_an_earlier_index) {
  open();
  const auto again = output_folder::open(out_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, errc::already_exists);
  EXPECT_NE(again.error().message().find(out_.string()), std::string::npos);
  EXPECT_NE(again.error().message().find("choose another"), std::string::npos);
}

TEST_F(file_store_test, takes_an_existing_folder_without_an_index) {
  fs::create_directories(out_);
  std::ofstream{out_ / "notes.txt"} << "mine";
  auto store = make(open());
  store->finish(session(1, "x", ""));
  store->close();
  EXPECT_EQ(read_file(out_ / "notes.txt"), "mine");
}

TEST_F(file_store_test, refuses_what_is_no_folder) {
  std::ofstream{out_} << "a file";
  const auto opened = output_folder::open(out_);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("not a directory"), std::string::npos)
      << opened.error().message();
  EXPECT_FALSE(output_folder::open(""));
  EXPECT_FALSE(output_folder::open(out_ / "below"));
}

TEST_F(file_store_test, leaves_nothing_behind_of_finding_out_how_to_publish) {
  open();
  EXPECT_EQ(files_in(out_), std::vector<std::string>{});
}

TEST_F(file_store_test, shows_index_lines_when_asked_to) {
  auto store = make(open());
  store->finish(session(1, "x", ""));
  EXPECT_EQ(index().size(), 0U);
  store->flush();
  EXPECT_EQ(index().size(), 1U);
}

TEST_F(file_store_test, closes_itself) {
  auto store = make(open());
  store->finish(session(1, "x", ""));
  store.reset();
  EXPECT_EQ(index().size(), 1U);
}

TEST_F(file_store_test, tells_of_streams_whose_sessions_never_ended) {
  auto store = make(open());
  store->append(1, side::client, piece(budget_, "half"));
  store->close();
  EXPECT_EQ(store->counters().files_failed, 1U);
  ASSERT_NE(store->first_error(), nullptr);
  EXPECT_EQ(read_file(out_ / ".weir-0000000000000001-client.part"), "half");
}

TEST_F(file_store_test, does_not_touch_the_temporary_file_of_an_interrupted_run) {
  auto folder = open();
  std::ofstream{out_ / ".weir-0000000000000001-client.part"} << "earlier";
  auto store = make(folder);
  store->append(1, side::client, piece(budget_, "now"));
  auto end = session(1, "", "");
  end.streams[0].size = 3;
  end.streams[0].spilled = true;
  store->finish(std::move(end));
  store->close();
  EXPECT_EQ(read_file(out_ / ".weir-0000000000000001-client.part"), "earlier");
  EXPECT_EQ(read_file(out_ / "0000000000000001.client"), "now");
}

class every_method : public file_store_test, public testing::WithParamInterface<publish_method> {};

TEST_P(every_method, publishes_files_and_replaces_none) {
  auto folder = output_folder::open(out_, GetParam());
  ASSERT_TRUE(folder);
  auto store = make(*folder, "{client}");
  store->finish(session(1, "first", ""));
  store->finish(session(2, "second", ""));
  store->append(3, side::client, piece(budget_, "third"));
  auto third = session(3, "", "");
  third.streams[0].size = 5;
  third.streams[0].spilled = true;
  store->finish(std::move(third));
  store->close();
  if (store->first_error() != nullptr && GetParam() == publish_method::link_descriptor)
    GTEST_SKIP() << store->first_error()->message();
  EXPECT_EQ(store->first_error(), nullptr) << store->first_error()->message();
  EXPECT_EQ(files_in(out_), (std::vector<std::string>{"192.0.2.1", "192.0.2.1.2", "192.0.2.1.3"}));
  EXPECT_EQ(times_of(out_ / "192.0.2.1").access, sample_time);
  EXPECT_EQ(read_file(out_ / "192.0.2.1"), "first");
  EXPECT_EQ(read_file(out_ / "192.0.2.1.2"), "second");
  EXPECT_EQ(read_file(out_ / "192.0.2.1.3"), "third");
}

INSTANTIATE_TEST_SUITE_P(file_store, every_method,
                         testing::Values(publish_method::link_descriptor, publish_method::link_proc,
                                         publish_method::rename, publish_method::relink));

TEST_F(file_store_test, lets_several_stores_share_a_folder) {
  auto folder = open();
  const auto run = [&](std::uint64_t first) {
    memory_budget budget{1 << 30};
    // Half of the names clash with the other store's.
    auto store = make(folder, "{client_port}/{client}.{side}");
    for (std::uint64_t id = first; id < first + 500; ++id) {
      auto s =
          sample_session(budget, id, fmt::format("client {}", id), fmt::format("server {}", id));
      s.info.client.port = static_cast<std::uint16_t>(id % 500);
      store->finish(std::move(s));
    }
    store->close();
    EXPECT_EQ(store->first_error(), nullptr);
  };
  std::thread other{run, 1000};
  run(2000);
  other.join();
  EXPECT_EQ(files_in(out_).size(), 2000U);
  const auto lines = index();
  ASSERT_EQ(lines.size(), 1000U);
  for (const auto& line : lines) {
    const auto id = std::stoull(line["id"].get<std::string>(), nullptr, 16);
    EXPECT_EQ(read_file(out_ / line["client"]["file"]), fmt::format("client {}", id));
    EXPECT_EQ(read_file(out_ / line["server"]["file"]), fmt::format("server {}", id));
  }
}

} // namespace
} // namespace weir::test
