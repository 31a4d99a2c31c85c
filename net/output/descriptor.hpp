/// File descriptors that close themselves, and the calls on them that the stores share. Calls
/// return an errno value, zero for success, and are repeated where a signal interrupted them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <weir/net/bytes.hpp>
#include <weir/net/error.hpp>

namespace weir {

class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  descriptor& operator=(descriptor&& o) noexcept {
    descriptor moved{std::move(o)};
    std::swap(fd_, moved.fd_);
    return *this;
  }
  ~descriptor() { close(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Some file systems tell of a failed write only here.
  int close() noexcept;

private:
  int fd_ = -1;
};

/// `written` grows by what was written, also on failure.
int write_all(int fd, bytes_view bytes, std::uint64_t& written) noexcept;
int write_all_at(int fd, bytes_view bytes, std::uint64_t offset, std::uint64_t& written) noexcept;

/// Fails with EIO where the file ends early.
int read_all_at(int fd, std::span<std::byte> bytes, std::uint64_t offset) noexcept;

/// Renames and never replaces: EEXIST where the new name is taken. EINVAL or ENOSYS where the file
/// system or the kernel cannot.
int rename_new(int old_folder, const char* old_name, int new_folder, const char* new_name) noexcept;

/// The same in two steps, a link and an unlink.
int relink_new(int old_folder, const char* old_name, int new_folder, const char* new_name) noexcept;

/// A file without a name, for reading and appending, gone when closed.
result<descriptor> open_scratch(const std::string& folder);

/// `value` in words: "no space left on device".
std::string errno_text(int value);

/// An error about `subject`, with what the user can do about it.
error write_error(int value, std::string subject);

} // namespace weir
