/// A tar archive that several stores write at the same time.
///
/// weir composes its archives itself: libarchive has one writer an archive, and would have every
/// byte go through one thread. Here each store composes whole entries in a buffer of its own; only
/// a range of the file is agreed on.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>

#include <weir/net/error.hpp>
#include <weir/net/output/descriptor.hpp>
#include <weir/net/output/index_file.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// May be used from several threads, but for `close`.
class tar_file {
public:
  /// A new archive, under a temporary name until it is closed; `already_exists` where there is a
  /// file of this name. "-" is standard output, and a FIFO or a device is written to as it is: the
  /// process has to ignore SIGPIPE.
  static result<std::shared_ptr<tar_file>> create(std::string path);

  /// Without `close` the archive has no end, and keeps its temporary name.
  ~tar_file() = default;
  tar_file(const tar_file&) = delete;
  tar_file& operator=(const tar_file&) = delete;

  /// A run of whole entries on their way into the archive: exactly as many bytes as were asked for.
  class range {
  public:
    void write(bytes_view bytes) noexcept;
    /// Zeros; a hole where the archive can have holes.
    void skip(std::uint64_t bytes) noexcept;
    /// An errno value. On failure none of the range's entries are in the archive, but those of
    /// others are not harmed.
    int finish() noexcept;

  private:
    friend class tar_file;
    range(tar_file& tar, std::uint64_t begin, std::uint64_t size, std::unique_lock<std::mutex> lock)
        : tar_(tar), begin_(begin), at_(begin), size_(size), lock_(std::move(lock)) {}

    tar_file& tar_;
    std::uint64_t begin_;
    std::uint64_t at_;
    std::uint64_t size_;
    int error_ = 0;
    /// Held for a pipe: there is one place where it can be written to.
    std::unique_lock<std::mutex> lock_;
  };

  range reserve(std::uint64_t size);

  /// The index: kept beside the archive until it becomes its last entry.
  index_file& index() noexcept { return *index_; }

  /// The last entry's time is the latest of these.
  void seen(timestamp time) noexcept;

  /// Where files without a name are best kept: a disk with room for what the archive takes.
  const std::string& scratch_folder() const noexcept { return scratch_folder_; }
  const std::string& path() const noexcept { return path_; }

  /// After all stores were closed: writes the index and the end of the archive, and gives it its
  /// name.
  result<void> close();

private:
  explicit tar_file(std::string path) : path_(std::move(path)) {}

  result<void> open();
  int open_temporary();
  int fail(std::uint64_t begin, std::uint64_t size, int failure) noexcept;
  int write_end();
  int publish() noexcept;

  static constexpr auto whole = std::numeric_limits<std::uint64_t>::max();

  std::string path_;
  std::string scratch_folder_;
  descriptor file_;
  std::unique_ptr<index_file> index_;
  /// For a file, which can be written to anywhere and is renamed in the end; all empty for a
  /// stream.
  descriptor folder_;
  std::string name_;
  std::string temporary_;
  std::atomic<std::uint64_t> end_{0};
  std::mutex pipe_;
  /// Where the archive ends because not even a stand-in could be written, and why.
  std::atomic<std::uint64_t> cut_{whole};
  std::atomic<int> failure_{0};
  std::atomic<timestamp::rep> latest_{0};
};

} // namespace weir
