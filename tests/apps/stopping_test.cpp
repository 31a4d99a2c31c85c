/// The end of a run that comes from outside: signals, at any moment.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/tests/apps/command.hpp>
#include <weir/tests/support/captures.hpp>
#include <weir/tests/support/frames.hpp>
#include <weir/tests/support/temp_dir.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::append;
using test::frames;
using test::read_file;
using test::read_index;
using test::tcp_frame;

namespace fs = std::filesystem;

test::byte_vector capture_of(const frames& all) {
  return test::pcap_of(all, timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31}});
}

/// A `weir` that is at work.
class running {
public:
  explicit running(std::vector<std::string> arguments, const std::string& log) : log_(log) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0)
      throw std::system_error{errno, std::generic_category(), "pipe2"};
    arguments.insert(arguments.begin(), WEIR_COMMAND);
    if (std::ranges::find(arguments, "--status-interval") == arguments.end())
      arguments.insert(arguments.end(), {"--status-interval", "20ms"});
    std::vector<char*> argv;
    for (auto& a : arguments)
      argv.push_back(a.data());
    argv.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      const int err = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      dup2(err, STDERR_FILENO);
      execv(WEIR_COMMAND, argv.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(in_);
    close(out_);
  }

  void write(const test::byte_vector& bytes) const {
    ASSERT_EQ(::write(in_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  void signal(int number) const { ::kill(child_, number); }

  std::string err() const { return fs::exists(log_) ? read_file(log_) : ""; }

  /// Until a status line has `text`.
  [[nodiscard]] bool await_status(const std::string& text) const {
    return await([&] { return err().find(text) != std::string::npos; });
  }

  template<class Predicate>
  [[nodiscard]] static bool await(Predicate done) {
    for (int i = 0; i < 1500; ++i) {
      if (done()) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }

  /// Exit status, or minus the signal; -1000 where it does not end in time.
  int wait(std::chrono::seconds patience = 60s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
      int status = 0;
      if (waitpid(child_, &status, WNOHANG) == child_) {
        child_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      }
      std::this_thread::sleep_for(10ms);
    }
    return -1000;
  }

private:
  std::string log_;
  pid_t child_ = 0;
  int in_ = -1;
  int out_ = -1;
};

class stopping : public ::testing::Test {
protected:
  static frames open_session(std::uint16_t port, std::string_view request) {
    frames all = test::handshake(port);
    all.push_back(tcp_frame(port, true, tcp_flag::ack, 100, 500, request));
    return all;
  }

  /// Temporary files in the output folder.
  std::size_t unfinished() const {
    std::error_code failed;
    const fs::directory_iterator files{out, failed};
    return failed ? 0 : static_cast<std::size_t>(std::ranges::count_if(files, [](const auto& f) {
      return f.path().extension() == ".part";
    }));
  }

  test::temp_dir folder;
  std::string out = folder / "out";
  std::string log = folder / "log";
};

class stopping_by : public stopping, public ::testing::WithParamInterface<int> {};

TEST_P(stopping_by, a_signal_writes_what_there_is) {
  frames all = test::exchange(50000, "request", "response");
  append(all, open_session(50001, "half a req"));
  running weir{{"dump", "-r", "-", "-o", out}, log};
  weir.write(capture_of(all));
  const auto count = std::to_string(all.size()) + " packets";
  ASSERT_TRUE(weir.await_status(count)) << weir.err();
  weir.signal(GetParam());
  EXPECT_EQ(weir.wait(), 0) << weir.err();
  const auto index = read_index(out);
  ASSERT_EQ(index.size(), 2u);
  EXPECT_EQ(index[0]["state"], "closed");
  EXPECT_EQ(index[1]["state"], "open");
  EXPECT_EQ(read_file(fs::path{out} / index[1]["client"]["file"]), "half a req");
  EXPECT_NE(weir.err().find("sessions  2 (1 closed, 1 open)"), std::string::npos) << weir.err();
}

INSTANTIATE_TEST_SUITE_P(signals, stopping_by, ::testing::Values(SIGINT, SIGTERM));

TEST_F(stopping, before_the_first_byte_ends_as_well) {
  running weir{{"dump", "-r", "-", "-o", out}, log};
  // Without input nothing is there yet that could answer: the signal comes before its handler is in
  // place, or into the wait for the format.
  std::this_thread::sleep_for(200ms);
  weir.signal(SIGTERM);
  const auto status = weir.wait(10s);
  EXPECT_TRUE(status == 0 || status == -SIGTERM) << status << weir.err();
}

/// Its archive goes to a pipe that nobody reads.
frames more_than_a_pipe_holds() {
  frames all;
  for (std::uint16_t port = 50000; port < 50100; ++port)
    append(all, test::exchange(port, std::string(500, 'q'), std::string(1000, 'a')));
  append(all, test::handshake(50100));
  return all;
}

TEST_F(stopping, a_second_signal_ends_it_at_once) {
  running weir{{"dump", "-r", "-", "--tar", "-"}, log};
  const auto all = more_than_a_pipe_holds();
  weir.write(capture_of(all));
  ASSERT_TRUE(weir.await_status(std::to_string(all.size()) + " packets")) << weir.err();
  weir.signal(SIGINT);
  EXPECT_EQ(weir.wait(1s), -1000) << "it cannot write, so it still waits: " << weir.err();
  weir.signal(SIGINT);
  EXPECT_EQ(weir.wait(5s), 128 + SIGINT);
}

TEST_F(stopping, does_not_wait_for_ever_for_what_hangs) {
  running weir{{"dump", "-r", "-", "--tar", "-"}, log};
  const auto all = more_than_a_pipe_holds();
  weir.write(capture_of(all));
  ASSERT_TRUE(weir.await_status(std::to_string(all.size()) + " packets")) << weir.err();
  weir.signal(SIGINT);
  EXPECT_EQ(weir.wait(), 1);
  EXPECT_NE(weir.err().find("did not stop"), std::string::npos) << weir.err();
}

TEST_F(stopping, tells_its_state_at_intervals) {
  running weir{{"dump", "-r", "-", "-o", out}, log};
  weir.write(capture_of(open_session(50000, "text")));
  ASSERT_TRUE(weir.await_status("status: 1 capture, 1 dispatcher, ")) << weir.err();
  ASSERT_TRUE(weir.await_status(" 1 sessions; 4 packets; 1 sessions open; memory ")) << weir.err();
  weir.signal(SIGINT);
  EXPECT_EQ(weir.wait(), 0);
}

TEST_F(stopping, tells_its_state_when_asked) {
  running weir{{"dump", "-r", "-", "-o", out, "--status-interval", "1000s"}, log};
  weir.write(capture_of(open_session(50000, "text")));
  // The index is there once the signals are taken care of.
  ASSERT_TRUE(running::await([&] { return fs::exists(fs::path{out} / "sessions.jsonl"); }));
  EXPECT_EQ(weir.err(), "");
  weir.signal(SIGUSR1);
  EXPECT_TRUE(weir.await_status("status: ")) << weir.err();
  weir.signal(SIGINT);
  EXPECT_EQ(weir.wait(), 0);
}

TEST_F(stopping, a_kill_leaves_unfinished_streams_that_the_next_run_names_and_leaves_alone) {
  frames all = test::exchange(50000, "request", "response");
  append(all, test::handshake(50001));
  const std::string part(1000, 'x');
  constexpr std::uint32_t pieces = 1000;
  for (std::uint32_t i = 0; i < pieces; ++i)
    all.push_back(tcp_frame(50001, true, tcp_flag::ack, 100 + i * 1000, 500, part));
  {
    running weir{{"dump", "-r", "-", "-o", out}, log};
    std::thread writer{[&] { weir.write(capture_of(all)); }};
    const bool spilled = running::await([&] { return unfinished() > 0; });
    writer.join();
    ASSERT_TRUE(spilled) << weir.err();
    weir.signal(SIGKILL);
    ASSERT_EQ(weir.wait(), -SIGKILL);
  }
  const auto again = test::weir({"dump", "-r", "-", "-o", out}, {.input = capture_of(all)});
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("that was interrupted (1 unfinished file: .weir-"), std::string::npos)
      << again.err;
  fs::remove(fs::path{out} / "sessions.jsonl");
  const auto third = test::weir({"dump", "-r", "-", "-o", out}, {.input = capture_of(all)});
  EXPECT_EQ(third.status, 0) << third.err;
  EXPECT_NE(third.err.find("left alone what an interrupted run left: 1 unfinished file: .weir-"),
            std::string::npos)
      << third.err;
  EXPECT_EQ(unfinished(), 1u);
}

TEST_F(stopping, a_kill_at_any_moment_leaves_only_whole_files_and_a_readable_index) {
  std::mt19937 random{4711};
  frames all;
  for (std::uint16_t port = 20000; port < 24000; ++port)
    append(all, test::exchange(port, "request of " + std::to_string(port),
                               "response to " + std::to_string(port)));
  const auto input = folder / "in.pcap";
  test::write_file(input, capture_of(all));
  std::size_t interrupted = 0;
  for (int run = 0; run < 20; ++run) {
    const auto to = folder / ("out" + std::to_string(run));
    running weir{{"dump", "-r", input, "-o", to, "--name", "{client_port}.{side}"}, log};
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 60'000});
    weir.signal(SIGKILL);
    if (weir.wait() != 0) ++interrupted;
    if (!fs::exists(fs::path{to} / "sessions.jsonl")) continue;
    for (const auto& f : fs::directory_iterator{to}) {
      const auto name = f.path().filename().string();
      if (name == "sessions.jsonl" || name.starts_with(".weir-")) continue;
      const auto port = name.substr(0, name.find('.'));
      const auto text = f.path().extension() == ".client" ? "request of " : "response to ";
      ASSERT_EQ(read_file(f.path()), text + port);
    }
    std::istringstream index{read_file(fs::path{to} / "sessions.jsonl")};
    for (std::string line; std::getline(index, line);)
      if (!index.eof()) {
        EXPECT_TRUE(nlohmann::json::accept(line)) << line;
      }
  }
  EXPECT_GT(interrupted, 0u);
}

} // namespace
} // namespace weir
