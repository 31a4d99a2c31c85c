/// The files of streams that are still going on: any number of them, few open at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include <weir/net/output/output_folder.hpp>
#include <weir/net/output/session_store.hpp>
#include <weir/net/output/stream_key.hpp>

namespace weir {

class partial_files {
public:
  /// At most `max_open` descriptors, at least one.
  partial_files(const output_folder& folder, std::size_t max_open);

  /// Writes to the stream's file, which is made under a temporary name the first time. Returns the
  /// errno value of a failure that this write met; the first one of a stream ends its file.
  int write(std::uint64_t session_id, side s, const stream_piece& piece);

  /// Hands the stream's file over, closed, written up to `size`.
  unpublished_file take(std::uint64_t session_id, side s, std::uint64_t size);

  /// Closes the one that was not used for the longest time; false: none is open.
  bool close_one() noexcept;

  /// How many streams have a file.
  std::size_t size() const noexcept { return files_.size(); }

private:
  struct entry {
    unpublished_file file;
    std::list<entry*>::iterator place{};
  };

  void open(const stream_key& k, entry& e);
  void close(entry& e) noexcept;

  const output_folder& folder_;
  const std::size_t max_open_;
  std::unordered_map<stream_key, entry, hash_stream_key> files_;
  /// Those that are open, the most recently used first.
  std::list<entry*> open_;
};

} // namespace weir
