#include "file_store_fixture.hpp"

#include <fmt/format.h>

#include "process_limits.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

class file_store_descriptors_test : public file_store_fixture {};

TEST_F(file_store_descriptors_test, writes_more_large_streams_at_once_than_descriptors) {
  const lowered_limit limit{RLIMIT_NOFILE, 256};
  auto store = make(open(), "{id}.{side}", open_file_limit(2));
  constexpr std::uint64_t streams = 2000;
  for (std::uint64_t round = 0; round < 3; ++round)
    for (std::uint64_t id = 0; id < streams; ++id)
      store->append(id, side::client,
                    piece(budget_, fmt::format("{:5}{:5}", round, id), 10 * round));
  for (std::uint64_t id = 0; id < streams; ++id) {
    auto end = session(id, "", "");
    end.streams[0].size = 30;
    end.streams[0].spilled = true;
    store->finish(std::move(end));
  }
  store->close();
  EXPECT_EQ(store->first_error(), nullptr);
  EXPECT_EQ(files_in(out_).size(), streams);
  for (std::uint64_t id = 0; id < streams; ++id)
    ASSERT_EQ(read_file(out_ / fmt::format("{:016x}.client", id)),
              fmt::format("{0:5}{3:5}{1:5}{3:5}{2:5}{3:5}", 0, 1, 2, id));
}

TEST_F(file_store_descriptors_test, makes_do_with_fewer_descriptors_than_it_was_promised) {
  auto store = make(open(), "{id}/{side}", 1000);
  // As many more as are open now, and a few.
  const auto open_now = static_cast<rlim_t>(
      std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
  const lowered_limit limit{RLIMIT_NOFILE, open_now + 10};
  for (std::uint64_t id = 0; id < 100; ++id)
    store->append(id, side::client, piece(budget_, "large"));
  store->finish(session(1000, "small", "small"));
  for (std::uint64_t id = 0; id < 100; ++id) {
    auto end = session(id, "", "");
    end.streams[0].size = 5;
    end.streams[0].spilled = true;
    store->finish(std::move(end));
  }
  store->close();
  EXPECT_EQ(store->first_error(), nullptr) << store->first_error()->message();
  EXPECT_EQ(store->counters().files, 102U);
}

TEST(open_file_limit, is_a_part_of_what_the_process_may_have) {
  const lowered_limit limit{RLIMIT_NOFILE, 256};
  EXPECT_EQ(open_file_limit(1), 64U);
  EXPECT_EQ(open_file_limit(2), 32U);
  EXPECT_EQ(open_file_limit(0), 64U);
  EXPECT_EQ(open_file_limit(100), 4U);
}

} // namespace
} // namespace weir::test
