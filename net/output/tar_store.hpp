/// Sessions into one tar archive: an entry for each stream that has data, and `sessions.jsonl` with
/// a line for each session as the last entry.
///
/// An archive cannot refuse a name that it has already, so names are made unique: a template
/// without {id} gets `-ID` before its extension, one that does not tell the two sides apart
/// `.client` or
/// `.server`. Gaps that are to be filled are zeros. Entries bear the time of their session's end.
///
/// Where writing fails, the index line says so in the side's `error`; what follows is tried afresh.
/// The place of what was lost is taken by an entry `.weir-lost-N`, so that readers find what
/// follows.
#pragma once

#include <memory>

#include <weir/net/output/name_template.hpp>
#include <weir/net/output/session_store.hpp>
#include <weir/net/output/tar_file.hpp>

namespace weir {

/// Several stores, each used by one thread, may write into an archive. After all are closed,
/// `tar_file::close` completes it.
std::unique_ptr<session_store> make_tar_store(std::shared_ptr<tar_file> tar, name_template names);

} // namespace weir
