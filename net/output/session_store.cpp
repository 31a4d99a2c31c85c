#include <weir/net/output/session_store.hpp>

namespace weir {

void store_counters::add(const store_counters& other) noexcept {
  sessions += other.sessions;
  for (std::size_t i = 0; i < by_state.size(); ++i)
    by_state[i] += other.by_state[i];
  files += other.files;
  bytes += other.bytes;
  bytes_missing += other.bytes_missing;
  gaps += other.gaps;
  bytes_conflicting += other.bytes_conflicting;
  bytes_skipped += other.bytes_skipped;
  midstream += other.midstream;
  files_failed += other.files_failed;
  index_lines_lost += other.index_lines_lost;
}

} // namespace weir
