#include <weir/net/output/index_file.hpp>

#include <unistd.h>

namespace weir {

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
