#include <weir/net/output/index_file.hpp>

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

namespace weir {

namespace {

/// Room ahead of the end: two writes of a store.
constexpr std::uint64_t room_ahead = 128 << 10;

std::uint64_t size_of(const descriptor& file) noexcept {
  return static_cast<std::uint64_t>(std::max<off_t>(lseek(file.get(), 0, SEEK_END), 0));
}

} // namespace

index_file::~index_file() {
  drop_torn_line();
  const auto end = size_of(file_);
  if (room_ <= end) return;
  // Gives back what was not needed; what cannot be given back harms no one.
  [[maybe_unused]] const int status =
      fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(end),
                static_cast<off_t>(room_ - end));
}

void index_file::keep_room() noexcept {
  const auto end = size_of(file_);
  if (end + room_ahead / 2 <= room_) return;
  const auto from = std::max(end, room_);
  // Not every file system can; then the index takes its chance like all other files.
  if (fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), room_ahead) == 0)
    room_ = from + room_ahead;
}

void index_file::drop_torn_line() noexcept {
  if (torn_.empty()) return;
  const auto end = lseek(file_.get(), 0, SEEK_END) - static_cast<off_t>(torn_written_);
  // Who would hear of a failure here has heard of the one that tore the line.
  [[maybe_unused]] const int status = ftruncate(file_.get(), end);
  torn_.clear();
}

int index_file::append(std::string& lines) {
  const std::lock_guard lock{mutex_};
  if (const int failed = complete_torn_line(); failed != 0) return failed;
  std::uint64_t written = 0;
  const int failed = write_all(file_.get(), as_bytes(lines), written);
  if (written != 0 && lines[written - 1] != '\n') {
    const auto before = lines.rfind('\n', written - 1);
    const auto begin = before == lines.npos ? 0 : before + 1;
    const auto end = lines.find('\n', written) + 1;
    torn_ = lines.substr(written, end - written);
    torn_written_ = written - begin;
    written = end;
  }
  lines.erase(0, written);
  keep_room();
  return failed;
}

int index_file::complete_torn_line() noexcept {
  std::uint64_t written = 0;
  const int failed = write_all(file_.get(), as_bytes(torn_), written);
  torn_.erase(0, written);
  torn_written_ += written;
  return failed;
}

} // namespace weir
