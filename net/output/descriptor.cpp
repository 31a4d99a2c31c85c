#include <weir/net/output/descriptor.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace weir {

namespace {

/// Calls `some(bytes)`, which returns as read and write do, until all is done.
template<class Bytes, class Some>
int all(Bytes bytes, std::uint64_t& done, Some some) noexcept {
  while (!bytes.empty()) {
    const auto n = some(bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;
    done += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string_view remedy(int value) noexcept {
  switch (value) {
  case ENOSPC: return " (make room, or choose another disk)";
  case EDQUOT: return " (make room within the quota, or choose another disk)";
  case EFBIG: return " (raise `ulimit -f`, or choose a file system for large files)";
  case EMFILE: return " (raise `ulimit -n`)";
  case ENFILE: return " (raise the sysctl fs.file-max)";
  case EACCES:
  case EPERM: return " (choose a folder that this user may write to)";
  case EROFS: return " (choose a disk that may be written to)";
  case ENOENT: return " (does the folder exist?)";
  case ENOTDIR:
  case ELOOP: return " (something that is not a folder is in the way)";
  case EPIPE: return " (the reader of the pipe has ended)";
  default: return "";
  }
}

} // namespace

int descriptor::close() noexcept {
  if (fd_ < 0) return 0;
  // On Linux the descriptor is free even after EINTR.
  return ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR ? 0 : errno;
}

int write_all(int fd, bytes_view bytes, std::uint64_t& written) noexcept {
  return all(bytes, written, [=](bytes_view b) { return ::write(fd, b.data(), b.size()); });
}

int write_all_at(int fd, bytes_view bytes, std::uint64_t offset, std::uint64_t& written) noexcept {
  return all(bytes, written, [&](bytes_view b) {
    const auto at = offset + (bytes.size() - b.size());
    return ::pwrite(fd, b.data(), b.size(), static_cast<off_t>(at));
  });
}

int read_all_at(int fd, std::span<std::byte> bytes, std::uint64_t offset) noexcept {
  std::uint64_t done = 0;
  return all(bytes, done, [&](std::span<std::byte> b) {
    return ::pread(fd, b.data(), b.size(), static_cast<off_t>(offset + done));
  });
}

int rename_new(int old_folder, const char* old_name, int new_folder,
               const char* new_name) noexcept {
  return renameat2(old_folder, old_name, new_folder, new_name, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

int relink_new(int old_folder, const char* old_name, int new_folder,
               const char* new_name) noexcept {
  if (linkat(old_folder, old_name, new_folder, new_name, 0) != 0) return errno;
  return unlinkat(old_folder, old_name, 0) == 0 ? 0 : errno;
}

result<descriptor> open_scratch(const std::string& folder) {
  descriptor file{open(folder.c_str(), O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600)};
  if (file) return file;
  auto name = folder + "/.weir-XXXXXX";
  file = descriptor{mkostemp(name.data(), O_APPEND | O_CLOEXEC)};
  if (!file) return tl::unexpected{write_error(errno, folder)};
  unlink(name.c_str());
  return file;
}

std::string errno_text(int value) {
  auto text = std::generic_category().message(value);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

error write_error(int value, std::string subject) {
  auto e = system_error(value, std::move(subject));
  e.detail = errno_text(value);
  e.detail += remedy(value);
  return e;
}

} // namespace weir
