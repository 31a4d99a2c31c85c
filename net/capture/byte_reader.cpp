#include <weir/net/capture/byte_reader.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir {

namespace {

/// Waits at most `timeout` milliseconds (-1: for ever); true where a read would not wait. The end
/// of a pipe and an error count: read() tells them at once.
bool wait_readable(int fd, int timeout) noexcept {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, timeout) > 0;
}

class file_reader final : public byte_reader {
public:
  file_reader(int fd, std::string name, std::shared_ptr<const interruption> stop)
      : fd_(fd), name_(std::move(name)), stop_(std::move(stop)) {}

  ~file_reader() override {
    if (fd_ != STDIN_FILENO) ::close(fd_);
  }

  /// Learns what the descriptor is.
  result<void> inspect() {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return tl::unexpected(system_error(errno, name_));
    if (S_ISDIR(info.st_mode)) return tl::unexpected(system_error(EISDIR, name_));
    regular_ = S_ISREG(info.st_mode);
    if (!regular_) return {};
    ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
    const auto start = std::max<off_t>(::lseek(fd_, 0, SEEK_CUR), 0);
    total_ = static_cast<std::uint64_t>(std::max<off_t>(info.st_size - start, 0));
    return {};
  }

  result<std::size_t> read(std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size() && !at_end_ && errno_ == 0 && (done == 0 || ready())) {
      if (!regular_ && done == 0 && !wait())
        return tl::unexpected(error{errc::interrupted, name_, {}});
      const auto n = ::read(fd_, into.data() + done, into.size() - done);
      if (n > 0) done += static_cast<std::size_t>(n);
      if (n == 0) at_end_ = true;
      if (n < 0) fail(errno);
    }
    done_ += done;
    if (done == 0 && errno_ != 0) return tl::unexpected(system_error(errno_, name_));
    return done;
  }

  bool ready() const noexcept override { return regular_ || at_end_ || wait_readable(fd_, 0); }

  packet_source::progress position() const noexcept override {
    // A file that grows while it is read is not read to more than all of it.
    return {done_, total_ == 0 ? 0 : std::max(total_, done_)};
  }

  bool reopens() const noexcept override { return regular_ && fd_ != STDIN_FILENO; }

private:
  /// Until there is something to read; false: it was interrupted.
  bool wait() const noexcept {
    if (!stop_) return true;
    std::array<pollfd, 2> fds{{{fd_, POLLIN, 0}, {stop_->descriptor(), POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
      // A signal; whoever caught it may have interrupted us.
    }
    return fds[1].revents == 0;
  }

  void fail(int failure) noexcept {
    if (failure == EINTR) return;
    // Someone else may have made standard input non-blocking.
    if (failure == EAGAIN || failure == EWOULDBLOCK)
      wait_readable(fd_, -1);
    else
      errno_ = failure;
  }

  int fd_;
  std::string name_;
  std::shared_ptr<const interruption> stop_;
  bool regular_ = false;
  bool at_end_ = false;
  int errno_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

class memory_reader final : public byte_reader {
public:
  explicit memory_reader(bytes_view bytes) : bytes_(bytes) {}

  result<std::size_t> read(std::span<std::byte> into) override {
    const auto n = std::min(into.size(), bytes_.size() - done_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(done_), n, into.begin());
    done_ += n;
    return n;
  }

  bool ready() const noexcept override { return true; }
  packet_source::progress position() const noexcept override { return {done_, bytes_.size()}; }
  bool reopens() const noexcept override { return false; }

private:
  bytes_view bytes_;
  std::size_t done_ = 0;
};

} // namespace

result<std::unique_ptr<byte_reader>> open_file(const std::string& path,
                                               std::shared_ptr<const interruption> stop) {
  const auto name = display_name(path);
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return tl::unexpected(system_error(errno, name));
  auto file = std::make_unique<file_reader>(fd, name, std::move(stop));
  if (auto known = file->inspect(); !known) return tl::unexpected(std::move(known.error()));
  return file;
}

std::unique_ptr<byte_reader> read_memory(bytes_view bytes) {
  return std::make_unique<memory_reader>(bytes);
}

std::string display_name(const std::string& path) { return path == "-" ? "standard input" : path; }

} // namespace weir
