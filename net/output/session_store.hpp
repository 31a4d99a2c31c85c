/// Where finished sessions go: a folder of files, or one tar. The blocking half of the file output,
/// used by one writer each; the other half is `file_accumulator`, which runs in the session.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <weir/net/error.hpp>
#include <weir/net/memory_budget.hpp>
#include <weir/net/output/name_template.hpp>
#include <weir/net/session/session_info.hpp>

namespace weir {

/// A run of a stream's bytes for its file.
struct stream_piece {
  charged_buffer bytes;
  /// Where it belongs in the file. More than what was written so far: a gap to be filled.
  std::uint64_t offset = 0;
};

/// A session that has ended, with what its file accumulator still held.
struct finished_session {
  session_info info;
  session_summary summary;
  struct stream {
    std::vector<stream_piece> rest;
    /// Size of the whole file; zero: no file is wanted.
    std::uint64_t size = 0;
    /// Earlier pieces went to `session_store::append`.
    bool spilled = false;
  };
  std::array<stream, 2> streams;
};

struct store_counters {
  std::uint64_t sessions = 0;
  std::array<std::uint64_t, 6> by_state{};
  /// Files written, also those that are not whole.
  std::uint64_t files = 0;
  /// Payload delivered, whether it was to be written or not.
  std::uint64_t bytes = 0;
  std::uint64_t bytes_missing = 0;
  std::uint64_t gaps = 0;
  std::uint64_t bytes_conflicting = 0;
  std::uint64_t bytes_skipped = 0;
  std::uint64_t midstream = 0;
  /// Streams not saved whole because writing failed.
  std::uint64_t files_failed = 0;
  /// Sessions whose line could not be written to the index.
  std::uint64_t index_lines_lost = 0;

  void add(const store_counters& other) noexcept;
};

class session_store {
public:
  session_store() = default;
  session_store(const session_store&) = delete;
  session_store& operator=(const session_store&) = delete;
  virtual ~session_store() = default;

  /// More of an open session than it could hold in memory. Errors are kept and shown in its index
  /// line.
  virtual void append(std::uint64_t session_id, side s, stream_piece piece) = 0;

  /// Completes the session's files and writes its index line. Takes the streams; info and summary
  /// are still there where it throws.
  virtual void finish(finished_session&& session) = 0;

  /// Writes the index line of a session whose `finish` has thrown, with no more than its figures.
  virtual void give_up(const finished_session& session) = 0;

  /// Makes what was finished visible soon after, for whoever watches the output grow. What failed
  /// to be written earlier is tried again.
  virtual void flush() {
    // nop
  }

  /// Flushes everything. Nothing may be added afterwards.
  virtual void close() = 0;

  virtual const store_counters& counters() const noexcept = 0;

  /// The first error of writing, if any: what failed and why.
  virtual const error* first_error() const noexcept = 0;
};

} // namespace weir
