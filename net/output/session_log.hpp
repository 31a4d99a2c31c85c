/// What all stores do alike when a session ends: count it, write its index line, remember the first
/// error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weir/net/output/index_file.hpp>
#include <weir/net/output/index_line.hpp>
#include <weir/net/output/session_store.hpp>

namespace weir {

/// Belongs to one store; the index file may be shared.
class session_log {
public:
  explicit session_log(index_file& index) noexcept : index_(index) {}

  /// The line is written with others, or at the next flush.
  void add(const session_info& info, const session_summary& summary, const index_files& files);

  /// Writes the lines. What cannot be written is kept for the next time, within a limit.
  void flush();

  /// Writes the lines; those that cannot be written now are lost, and counted.
  void close();

  /// Remembers it as the first error, unless there was one.
  void failed(int errno_value, std::string_view subject);

  /// Streams that their sessions never completed, as `e` says.
  void abandoned(std::uint64_t streams, error e);

  const store_counters& counters() const noexcept { return counters_; }
  const error* first_error() const noexcept { return first_error_ ? &*first_error_ : nullptr; }

private:
  void drop_lines();

  static constexpr std::size_t flush_size = 64 << 10;
  static constexpr std::size_t max_unwritten = 16 << 20;

  index_file& index_;
  std::string lines_;
  /// The size of `lines_` at which to write next; grows while writing fails.
  std::size_t flush_at_ = flush_size;
  store_counters counters_;
  std::optional<error> first_error_;
};

} // namespace weir
