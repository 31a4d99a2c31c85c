#include <weir/net/output/index_file.hpp>

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include <weir/tests/support/temp_dir.hpp>

#include "process_limits.hpp"
#include "session_samples.hpp"

namespace weir::test {
namespace {

class index_file_test : public testing::Test {
protected:
  std::unique_ptr<index_file> open() {
    descriptor file{::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
    EXPECT_TRUE(file);
    return std::make_unique<index_file>(std::move(file), path_);
  }

  temp_dir folder_;
  std::string path_ = folder_ / "sessions.jsonl";
};

TEST_F(index_file_test, appends_lines) {
  auto index = open();
  std::string lines = "1\n2\n";
  EXPECT_EQ(index->append(lines), 0);
  EXPECT_EQ(lines, "");
  lines = "3\n";
  EXPECT_EQ(index->append(lines), 0);
  EXPECT_EQ(read_file(path_), "1\n2\n3\n");
}

TEST_F(index_file_test, completes_a_cut_line_before_any_other) {
  auto index = open();
  std::string one = "first\nsecond\nthird\n";
  {
    const file_size_limit limit{9};
    EXPECT_EQ(index->append(one), EFBIG);
  }
  EXPECT_EQ(read_file(path_), "first\nsec");
  EXPECT_EQ(one, "third\n") << "what is left begins with a whole line";
  std::string other = "another store's\n";
  EXPECT_EQ(index->append(other), 0);
  EXPECT_EQ(index->append(one), 0);
  EXPECT_EQ(read_file(path_), "first\nsecond\nanother store's\nthird\n");
}

TEST_F(index_file_test, completes_a_line_that_is_cut_again_and_again) {
  auto index = open();
  std::string lines = "abcdefgh\nrest\n";
  for (rlim_t size = 1; size < 9; ++size) {
    const file_size_limit limit{size};
    EXPECT_EQ(index->append(lines), EFBIG);
    EXPECT_EQ(read_file(path_), std::string{"abcdefgh"}.substr(0, size));
    EXPECT_EQ(lines, "rest\n");
  }
  EXPECT_EQ(index->append(lines), 0);
  EXPECT_EQ(read_file(path_), "abcdefgh\nrest\n");
}

TEST_F(index_file_test, keeps_everything_where_nothing_can_be_written) {
  auto index = open();
  std::string lines = "one\ntwo\n";
  {
    const file_size_limit limit{0};
    EXPECT_EQ(index->append(lines), EFBIG);
  }
  EXPECT_EQ(lines, "one\ntwo\n");
  EXPECT_EQ(index->append(lines), 0);
  EXPECT_EQ(read_file(path_), "one\ntwo\n");
}

TEST_F(index_file_test, removes_a_half_line_in_the_end) {
  auto index = open();
  std::string lines = "first\nsecond\n";
  {
    const file_size_limit limit{8};
    EXPECT_EQ(index->append(lines), EFBIG);
    index.reset();
  }
  EXPECT_EQ(read_file(path_), "first\n");
}

TEST_F(index_file_test, keeps_the_lines_of_several_threads_whole) {
  auto index = open();
  const auto write = [&](char letter) {
    for (int i = 0; i < 200; ++i) {
      std::string lines;
      for (int j = 0; j < 50; ++j)
        lines += std::string(static_cast<std::size_t>(1 + j * 7 % 90), letter) + '\n';
      EXPECT_EQ(index->append(lines), 0);
    }
  };
  std::thread a{write, 'a'};
  std::thread b{write, 'b'};
  a.join();
  b.join();
  const auto text = read_file(path_);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 * 200 * 50);
  EXPECT_EQ(text.find("ab"), text.npos);
  EXPECT_EQ(text.find("ba"), text.npos);
}

} // namespace
} // namespace weir::test
