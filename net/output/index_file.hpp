/// The index that several stores write together, whole lines at a time.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include <weir/net/output/descriptor.hpp>

namespace weir {

/// May be used from several threads.
class index_file {
public:
  /// `file` is open for appending (O_APPEND), and only this object writes to it. `path` is for
  /// errors.
  index_file(descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {
    keep_room();
  }
  index_file(const index_file&) = delete;
  index_file& operator=(const index_file&) = delete;

  ~index_file();

  /// Appends whole lines and removes from `lines` what was taken. A line that a failure cut is
  /// completed by the next call, from whatever store; no other line comes between its halves.
  int append(std::string& lines);

  /// Removes the half line that a full disk left, if any. Nothing is appended after it.
  void drop_torn_line() noexcept;

  int get() const noexcept { return file_.get(); }
  const std::string& path() const noexcept { return path_; }

private:
  int complete_torn_line() noexcept;
  void keep_room() noexcept;

  std::mutex mutex_;
  descriptor file_;
  std::string path_;
  /// The rest of a line that did not fit, and how much of that line is in the file.
  std::string torn_;
  std::uint64_t torn_written_ = 0;
  /// Disk space is allocated up to here: on a full disk, the lines that say so still fit.
  std::uint64_t room_ = 0;
};

} // namespace weir
