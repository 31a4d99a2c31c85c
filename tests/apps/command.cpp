#include <weir/tests/apps/command.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>

#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace weir::test {

namespace {

/// A file without a name: children write as much as they like, nobody waits for a pipe.
class scratch_file {
public:
  scratch_file() : file_(std::tmpfile()) {
    if (file_ == nullptr) throw std::system_error{errno, std::generic_category(), "tmpfile"};
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { std::fclose(file_); }

  int descriptor() const { return fileno(file_); }

  void fill(bytes_view bytes) {
    if (!bytes.empty()) std::fwrite(bytes.data(), 1, bytes.size(), file_);
    std::rewind(file_);
  }
  std::string text() {
    std::rewind(file_);
    std::string text;
    char part[4096];
    for (std::size_t n; (n = std::fread(part, 1, sizeof part, file_)) > 0;)
      text.append(part, n);
    return text;
  }

private:
  std::FILE* file_;
};

/// Limits are inherited: ours change while the child is started.
class changed_limit {
public:
  changed_limit(__rlimit_resource resource, std::size_t limit) : resource_(resource) {
    getrlimit(resource_, &before_);
    auto changed = before_;
    if (limit != 0) changed.rlim_cur = limit;
    setrlimit(resource_, &changed);
  }
  changed_limit(const changed_limit&) = delete;
  changed_limit& operator=(const changed_limit&) = delete;
  ~changed_limit() { setrlimit(resource_, &before_); }

private:
  __rlimit_resource resource_;
  rlimit before_{};
};

/// Waits for the child's end, and kills it where that does not come in time.
void await(pid_t child, std::chrono::seconds patience, outcome& result) {
  const auto handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  pollfd ended{.fd = handle, .events = POLLIN, .revents = 0};
  if (poll(&ended, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())) == 0)
    kill(child, SIGKILL);
  close(handle);
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  result.peak_memory = static_cast<std::size_t>(used.ru_maxrss) * 1024;
}

} // namespace

outcome weir(const std::vector<std::string>& arguments, const command_options& options) {
  std::vector<std::string> words{WEIR_COMMAND};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);

  scratch_file in, out, err;
  in.fill(options.input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.descriptor(), STDERR_FILENO);
  pid_t child = 0;
  int failure = 0;
  {
    const changed_limit files{RLIMIT_NOFILE, options.open_files};
    const changed_limit memory{RLIMIT_DATA, options.memory};
    failure = posix_spawn(&child, WEIR_COMMAND, &actions, nullptr, argv.data(), environ);
  }
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::system_error{failure, std::generic_category(), WEIR_COMMAND};
  outcome result;
  await(child, options.patience, result);
  result.out = out.text();
  result.err = err.text();
  return result;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::system_error{errno, std::generic_category(), path.string()};
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::vector<nlohmann::json> read_index(const std::filesystem::path& folder) {
  std::vector<nlohmann::json> lines;
  std::istringstream text{read_file(folder / "sessions.jsonl")};
  for (std::string line; std::getline(text, line);)
    lines.push_back(nlohmann::json::parse(line));
  std::ranges::sort(lines, {},
                    [](const auto& line) { return line.at("start").template get<std::string>(); });
  return lines;
}

} // namespace weir::test
