#include <weir/net/output/partial_files.hpp>

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

namespace weir {

partial_files::partial_files(const output_folder& folder, std::size_t max_open)
    : folder_(folder), max_open_(std::max<std::size_t>(max_open, 1)) {}

int partial_files::write(std::uint64_t session_id, side s, const stream_piece& piece) {
  const stream_key k{session_id, s};
  auto& e = files_[k];
  if (e.file.error != 0) return 0;
  open(k, e);
  e.file.write(piece.bytes.view(), piece.offset);
  return e.file.error;
}

unpublished_file partial_files::take(std::uint64_t session_id, side s, std::uint64_t size) {
  const stream_key k{session_id, s};
  auto& e = files_[k];
  if (e.file.saved < size && e.file.error == 0) {
    open(k, e);
    e.file.extend(size);
  }
  close(e);
  auto file = std::move(e.file);
  files_.erase(k);
  return file;
}

bool partial_files::close_one() noexcept {
  if (open_.empty()) return false;
  close(*open_.back());
  return true;
}

void partial_files::open(const stream_key& k, entry& e) {
  if (e.file.file) {
    open_.splice(open_.begin(), open_, e.place);
    return;
  }
  if (open_.size() >= max_open_) close_one();
  do {
    if (e.file.temporary.empty()) {
      e.file = folder_.create_named(k.session_id, k.s);
    } else {
      e.file.file = descriptor{
          openat(folder_.get(), e.file.temporary.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)};
      e.file.error = e.file.file ? 0 : errno;
    }
  } while ((e.file.error == EMFILE || e.file.error == ENFILE) && close_one());
  if (!e.file.file) return;
  open_.push_front(&e);
  e.place = open_.begin();
}

void partial_files::close(entry& e) noexcept {
  if (!e.file.file) return;
  open_.erase(e.place);
  const int failure = e.file.file.close();
  if (e.file.error == 0) e.file.error = failure;
}

} // namespace weir
