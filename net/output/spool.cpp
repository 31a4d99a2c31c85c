#include <weir/net/output/spool.hpp>

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace weir {

int spool::append(bytes_view bytes, std::uint64_t& at, std::uint64_t& written) {
  at = end_;
  written = 0;
  if (!file_) {
    auto file = open_scratch(folder_);
    if (!file) return file.error().code == errc::no_space ? ENOSPC : EIO;
    file_ = std::move(*file);
  }
  const int failed = write_all(file_.get(), bytes, written);
  end_ += written;
  return failed;
}

int spool::read(std::span<std::byte> bytes, std::uint64_t at) const noexcept {
  return read_all_at(file_.get(), bytes, at);
}

void spool::release(std::uint64_t at, std::uint64_t size) noexcept {
  fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at),
            static_cast<off_t>(size));
}

void spool::clear() noexcept {
  if (file_ && ftruncate(file_.get(), 0) == 0) end_ = 0;
}

} // namespace weir
