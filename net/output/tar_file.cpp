#include <weir/net/output/tar_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/net/output/tar_header.hpp>
#include <weir/net/output/text.hpp>

namespace weir {

namespace {

constexpr std::array<std::byte, 64 << 10> zeros{};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_folder() {
  const char* const chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

bool is_stream(const struct stat& about) noexcept {
  return S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode) || S_ISSOCK(about.st_mode);
}

template<class T>
void keep_extreme(std::atomic<T>& kept, T value, auto better) noexcept {
  auto current = kept.load();
  while (better(value, current) && !kept.compare_exchange_weak(current, value)) {
    // nop
  }
}

} // namespace

void tar_file::range::write(bytes_view bytes) noexcept {
  if (error_ == 0) error_ = tar_.failure_;
  if (error_ != 0) return;
  std::uint64_t written = 0;
  error_ = lock_ ? write_all(tar_.file_.get(), bytes, written)
                 : write_all_at(tar_.file_.get(), bytes, at_, written);
  at_ += written;
}

void tar_file::range::skip(std::uint64_t bytes) noexcept {
  if (!lock_) {
    at_ += bytes;
    return;
  }
  while (bytes > 0 && error_ == 0) {
    const auto n = std::min<std::uint64_t>(bytes, zeros.size());
    write(bytes_view{zeros}.first(static_cast<std::size_t>(n)));
    bytes -= n;
  }
}

int tar_file::range::finish() noexcept {
  if (error_ != 0) tar_.fail(begin_, size_, error_);
  if (lock_) lock_.unlock();
  return error_;
}

tar_file::range tar_file::reserve(std::uint64_t size) {
  std::unique_lock<std::mutex> lock;
  if (temporary_.empty()) lock = std::unique_lock{pipe_};
  return {*this, end_.fetch_add(size), size, std::move(lock)};
}

void tar_file::seen(timestamp time) noexcept {
  keep_extreme(latest_, time.time_since_epoch().count(), std::greater<>{});
}

/// Puts an entry over the range that readers skip, so that what follows can be found. Where not
/// even its header can be written the archive ends there.
int tar_file::fail(std::uint64_t begin, std::uint64_t size, int failure) noexcept {
  if (failure_ != 0) return failure;
  if (!temporary_.empty()) {
    std::string header;
    append_tar_header(".weir-lost-" + std::to_string(begin), size - tar_block, {}, header);
    std::uint64_t written = 0;
    if (write_all_at(file_.get(), as_bytes(header), begin, written) == 0) return failure;
    keep_extreme(cut_, begin, std::less<>{});
  }
  failure_ = failure;
  return failure;
}

result<std::shared_ptr<tar_file>> tar_file::create(std::string path) {
  std::shared_ptr<tar_file> tar{new tar_file{std::move(path)}};
  if (auto opened = tar->open(); !opened) return tl::unexpected{std::move(opened.error())};
  auto scratch = open_scratch(tar->scratch_folder_);
  if (!scratch) {
    if (!tar->temporary_.empty()) unlinkat(tar->folder_.get(), tar->temporary_.c_str(), 0);
    return tl::unexpected{std::move(scratch.error())};
  }
  tar->index_ = std::make_unique<index_file>(std::move(*scratch), tar->path_ + ": sessions.jsonl");
  return tar;
}

result<void> tar_file::open() {
  scratch_folder_ = temporary_folder();
  if (path_ == "-") {
    file_ = descriptor{fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
    if (!file_) return tl::unexpected{write_error(errno, "standard output")};
    return {};
  }
  struct stat about;
  if (stat(path_.c_str(), &about) == 0 && is_stream(about)) {
    file_ = descriptor{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file_) return tl::unexpected{write_error(errno, path_)};
    return {};
  }
  if (lstat(path_.c_str(), &about) == 0)
    return tl::unexpected{error{errc::already_exists, path_,
                                "exists already (choose another name, or move it away)"}};
  scratch_folder_ = folder_of(path_);
  if (const int failure = open_temporary(); failure != 0)
    return tl::unexpected{write_error(failure, path_)};
  return {};
}

int tar_file::open_temporary() {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  constexpr unsigned tries = 100;
  folder_ = descriptor{::open(scratch_folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder_) return errno;
  name_ = path_.substr(path_.rfind('/') + 1); // all of it where there is none
  // What an interrupted run left is not touched.
  for (unsigned n = 1; n <= tries; ++n) {
    auto temporary = '.' + name_ + (n > 1 ? '.' + std::to_string(n) : "") + ".part";
    file_ = descriptor{openat(folder_.get(), temporary.c_str(), flags, 0666)};
    if (file_) {
      temporary_ = std::move(temporary);
      return 0;
    }
    if (errno != EEXIST) break;
  }
  return errno;
}

result<void> tar_file::close() {
  int failure = write_end();
  if (failure == 0) failure = failure_;
  const int closed = file_.close();
  if (failure == 0) failure = closed;
  const int published = publish();
  if (published != 0) {
    auto e = write_error(published, path_);
    e.detail += "; the archive is " + temporary_;
    return tl::unexpected{std::move(e)};
  }
  if (failure != 0) {
    auto e = write_error(failure, path_);
    e.detail += "; the archive is not complete";
    return tl::unexpected{std::move(e)};
  }
  return {};
}

int tar_file::write_end() {
  const int cut = cut_ == whole ? 0 : failure_.load();
  if (cut != 0) {
    // What follows the cut cannot be found, and its room may be enough for the end.
    if (ftruncate(file_.get(), static_cast<off_t>(cut_.load())) != 0) return errno;
    end_ = cut_.load();
    failure_ = 0;
  }
  index_->drop_torn_line();
  const auto size = static_cast<std::uint64_t>(lseek(index_->get(), 0, SEEK_END));
  std::string header;
  append_tar_header("sessions.jsonl", size, timestamp{duration{latest_}}, header);
  auto entry = reserve(header.size() + tar_padded(size));
  entry.write(as_bytes(header));
  std::vector<std::byte> copy(std::min<std::uint64_t>(size, 1 << 20));
  for (std::uint64_t at = 0; at < size;) {
    const std::span part{copy.data(), std::min<std::uint64_t>(copy.size(), size - at)};
    if (const int failed = read_all_at(index_->get(), part, at); failed != 0) return failed;
    entry.write(part);
    at += part.size();
  }
  entry.skip(tar_padded(size) - size);
  if (const int failed = entry.finish(); failed != 0) return failed;
  auto end = reserve(2 * tar_block);
  end.write(bytes_view{zeros}.first(2 * tar_block));
  const int failed = end.finish();
  return failed != 0 ? failed : cut;
}

int tar_file::publish() noexcept {
  if (temporary_.empty()) return 0;
  const int at = folder_.get();
  const int failed = rename_new(at, temporary_.c_str(), at, name_.c_str());
  if (failed != EINVAL && failed != ENOSYS) return failed;
  return relink_new(at, temporary_.c_str(), at, name_.c_str());
}

} // namespace weir
