/// Sessions into a folder: a file for each stream that has data, and a line for each session in
/// `sessions.jsonl`.
///
/// A file has its final name only when it is complete. A stream that never left memory is written
/// to a file without a name; one that did grows under `.weir-ID-SIDE.part` until its session ends,
/// and is still there under this name after a crash. Files bear the times of the packets: accessed
/// at the session's start, modified at its end. Where a name is taken, `.2`, `.3`… goes before its
/// extension, later the session's id; no file is ever overwritten.
///
/// Where writing fails, what was written gets its name all the same, and the index line says in the
/// side's `saved` and `error` how much that is and why. The next session is tried afresh. For
/// limits on file sizes to be such errors the process has to ignore SIGXFSZ.
#pragma once

#include <cstddef>
#include <memory>

#include <weir/net/output/name_template.hpp>
#include <weir/net/output/output_folder.hpp>
#include <weir/net/output/session_store.hpp>

namespace weir {

struct file_store_options {
  name_template names;
  /// Descriptors that one store may hold for streams that are still going on; `open_file_limit` has
  /// an opinion.
  std::size_t max_open_files = 64;
};

/// Several stores, each used by one thread, may write into a folder.
std::unique_ptr<session_store> make_file_store(std::shared_ptr<output_folder> folder,
                                               file_store_options options);

} // namespace weir
