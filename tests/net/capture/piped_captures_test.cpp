/// Captures from pipes: standard input and FIFOs.
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/tests/net/capture/capture_directory.hpp>

namespace weir::test {
namespace {

using namespace std::chrono_literals;

using piped_captures = capture_files;

/// Reads standard input from `fd` while it lives; takes the descriptor.
class standard_input {
public:
  explicit standard_input(int fd) : saved_(::dup(STDIN_FILENO)) {
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  standard_input(const standard_input&) = delete;
  standard_input& operator=(const standard_input&) = delete;
  ~standard_input() {
    if (saved_ < 0) {
      ::close(STDIN_FILENO);
      return;
    }
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }

private:
  int saved_;
};

struct pipe_ends {
  pipe_ends() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category()};
    read = fds[0];
    write = fds[1];
  }
  int read;
  int write;
};

void write_to(int fd, bytes_view bytes) {
  ASSERT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

TEST_F(piped_captures, read_standard_input_from_a_pipe_or_a_file) {
  const auto bytes = gzip(pcap_file{}.add(at_ns(1'000), "x").bytes());
  {
    const pipe_ends pipe;
    write_to(pipe.write, bytes);
    ::close(pipe.write);
    const standard_input input{pipe.read};
    EXPECT_EQ(texts(read({"-"})), strings{"x"});
  }
  const standard_input input{::open(put("a", bytes).c_str(), O_RDONLY)};
  auto source = open_capture_file("-");
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->position().total, bytes.size());
  EXPECT_EQ(texts(read_all(**source)), strings{"x"});
}

TEST_F(piped_captures, name_standard_input_in_errors) {
  const pipe_ends pipe;
  write_to(pipe.write, as_bytes("garbage"));
  ::close(pipe.write);
  const standard_input input{pipe.read};
  const auto source = open_capture_file("-");
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().message(), "standard input: not a pcap or pcapng capture");
}

TEST_F(piped_captures, read_standard_input_once) {
  const auto source = open_capture_files({"-", "-"});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().message(), "standard input: can be read only once");
}

TEST_F(piped_captures, order_standard_input_among_the_others) {
  const auto early = put("a", pcap_file{}.add(at_ns(1'000), "early").bytes());
  const auto late = put("b", pcap_file{}.add(at_ns(9'000), "late").bytes());
  const pipe_ends pipe;
  write_to(pipe.write, pcap_file{}.add(at_ns(5'000), "piped").add(at_ns(6'000), "too").bytes());
  const standard_input input{pipe.read};
  auto source = open_capture_files({late, "-", early});
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->position().total, 0U) << "the length of a pipe is not known";
  const auto more = pcap_file{}.add(at_ns(7'000), "more").bytes();
  write_to(pipe.write, bytes_view{more}.subspan(24));
  ::close(pipe.write);
  const auto all = read_all(**source);
  EXPECT_EQ(texts(all), (strings{"early", "piped", "too", "more", "late"}));
  EXPECT_TRUE(all.errors.empty());
}

TEST_F(piped_captures, give_what_a_slow_pipe_has_without_waiting_for_more) {
  const pipe_ends pipe;
  const auto first = pcap_file{}.add(at_ns(1'000), "first").bytes();
  const auto second = pcap_file{}.add(at_ns(2'000), "second").bytes();
  const standard_input input{pipe.read};
  // The packet, and half of the next one's header: reading on for the rest would wait for ever.
  write_to(pipe.write, first);
  write_to(pipe.write, prefix({second.begin() + 24, second.end()}, 8));
  auto source = open_capture_file("-");
  ASSERT_TRUE(source);
  packet_block block{0};
  ASSERT_TRUE((*source)->fill(block));
  ASSERT_EQ(block.packets.size(), 1U);
  EXPECT_EQ(as_text(block.bytes(block.packets[0])), "first");
  write_to(pipe.write, bytes_view{second}.subspan(32));
  block.clear();
  ASSERT_TRUE((*source)->fill(block));
  ASSERT_EQ(block.packets.size(), 1U);
  EXPECT_EQ(as_text(block.bytes(block.packets[0])), "second");
  ::close(pipe.write);
}

TEST_F(piped_captures, wait_for_a_pipe_that_has_nothing_yet) {
  const pipe_ends pipe;
  const auto bytes = gzip(pcap_file{}.add(at_ns(1'000), "x").bytes());
  std::thread writer{[&] {
    for (const auto byte : bytes) {
      write_to(pipe.write, {&byte, 1});
      std::this_thread::yield();
    }
    ::close(pipe.write);
  }};
  {
    const standard_input input{pipe.read};
    EXPECT_EQ(texts(read({"-"})), strings{"x"});
  }
  writer.join();
}

TEST_F(piped_captures, go_on_waiting_after_a_signal) {
  struct sigaction quiet {};
  struct sigaction before {};
  quiet.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &quiet, &before), 0);
  const pipe_ends pipe;
  const auto reader = ::pthread_self();
  std::thread writer{[&] {
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(2ms);
      ::pthread_kill(reader, SIGUSR1);
    }
    write_to(pipe.write, pcap_file{}.add(at_ns(1'000), "x").bytes());
    ::close(pipe.write);
  }};
  {
    const standard_input input{pipe.read};
    EXPECT_EQ(texts(read({"-"})), strings{"x"});
  }
  writer.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(piped_captures, wait_for_a_pipe_that_someone_made_non_blocking) {
  const pipe_ends pipe;
  ::fcntl(pipe.read, F_SETFL, O_NONBLOCK);
  std::thread writer{[&] {
    std::this_thread::sleep_for(5ms);
    write_to(pipe.write, pcap_file{}.add(at_ns(1'000), "x").bytes());
    ::close(pipe.write);
  }};
  {
    const standard_input input{pipe.read};
    EXPECT_EQ(texts(read({"-"})), strings{"x"});
  }
  writer.join();
}

TEST_F(piped_captures, read_a_fifo_once_and_to_its_end) {
  const auto fifo = path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto file = put("a", pcap_file{}.add(at_ns(9'000), "file").bytes());
  pcap_file piped;
  // More than one block, so that the first look cannot have taken all.
  const byte_vector large(200'000, std::byte{'x'});
  for (int i = 0; i < 4; ++i)
    piped.add(at_ns(1'000 * i), large);
  std::thread writer{[&] { piped.write(fifo); }};
  const auto all = read({file, fifo});
  writer.join();
  ASSERT_EQ(all.packets.size(), 5U);
  EXPECT_TRUE(all.errors.empty());
  EXPECT_EQ(all.packets[3].bytes, as_text(large));
  EXPECT_EQ(all.packets[4].bytes, "file");
}

} // namespace
} // namespace weir::test
