#include <weir/net/output/session_log.hpp>

#include <algorithm>

namespace weir {

void session_log::add(const session_info& info, const session_summary& summary,
                      const index_files& files) {
  ++counters_.sessions;
  ++counters_.by_state[static_cast<std::size_t>(summary.state)];
  if (info.midstream) ++counters_.midstream;
  for (const auto& s : summary.sides) {
    counters_.bytes += s.bytes;
    counters_.bytes_missing += s.missing;
    counters_.gaps += s.gap_count;
    counters_.bytes_conflicting += s.conflicting;
    counters_.bytes_skipped += s.skipped;
  }
  for (const auto& f : files.streams) {
    if (!f.file.empty()) ++counters_.files;
    if (!f.error.empty()) ++counters_.files_failed;
  }
  append_index_line(info, summary, files, lines_);
  if (lines_.size() >= flush_at_) flush();
}

void session_log::flush() {
  if (const int failure = index_.append(lines_); failure != 0) {
    failed(failure, index_.path());
    if (lines_.size() > max_unwritten) drop_lines();
  }
  flush_at_ = lines_.size() + flush_size;
}

void session_log::close() {
  flush();
  drop_lines();
}

void session_log::failed(int errno_value, std::string_view subject) {
  if (!first_error_) first_error_ = write_error(errno_value, std::string{subject});
}

void session_log::abandoned(std::uint64_t streams, error e) {
  if (streams == 0) return;
  counters_.files_failed += streams;
  if (!first_error_) first_error_ = std::move(e);
}

void session_log::drop_lines() {
  const auto lines = std::count(lines_.begin(), lines_.end(), '\n');
  counters_.index_lines_lost += static_cast<std::uint64_t>(lines);
  lines_.clear();
}

} // namespace weir
