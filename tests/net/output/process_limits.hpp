/// Resource limits and full disks for as long as a test needs them.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

namespace weir::test {

/// Lowers the soft limit, sets it back at the end.
class lowered_limit {
public:
  lowered_limit(int resource, rlim_t value) : resource_(resource) {
    EXPECT_EQ(getrlimit(resource_, &before_), 0);
    auto lower = before_;
    lower.rlim_cur = value;
    EXPECT_EQ(setrlimit(resource_, &lower), 0);
  }
  lowered_limit(const lowered_limit&) = delete;
  lowered_limit& operator=(const lowered_limit&) = delete;
  ~lowered_limit() { setrlimit(resource_, &before_); }

private:
  int resource_;
  rlimit before_{};
};

/// Files cannot grow past `bytes`: the kernel cuts the write that would, then says EFBIG.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) : limit_(RLIMIT_FSIZE, bytes) {}
  ~file_size_limit() { std::signal(SIGXFSZ, before_); }

private:
  // The limit is lowered after the signal that it sends is ignored.
  void (*before_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  lowered_limit limit_;
};

/// A file system of this size over a folder, seen by this process alone. `mounted()` is false
/// without the right to do that.
class small_disk {
public:
  small_disk(std::filesystem::path folder, std::size_t bytes) : folder_(std::move(folder)) {
    const auto size = "size=" + std::to_string(bytes);
    mounted_ = unshare(CLONE_NEWNS) == 0
               && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
               && mount("tmpfs", folder_.c_str(), "tmpfs", 0, size.c_str()) == 0;
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }

  bool mounted() const { return mounted_; }

private:
  std::filesystem::path folder_;
  bool mounted_ = false;
};

} // namespace weir::test
