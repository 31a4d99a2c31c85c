/// One session as one line of `sessions.jsonl`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/net/session/session_info.hpp>

namespace weir {

/// What became of a session's streams.
struct index_files {
  struct stream {
    /// Relative to the output; empty: there is none.
    std::string_view file{};
    /// Why the file is not whole; empty: it is.
    std::string_view error{};
    /// Where it is not: how much of it was saved, in bytes.
    std::uint64_t saved = 0;
  };
  std::array<stream, 2> streams{};
};

/// Appends the line with its newline:
///
///     {"id":"…","community_id":"1:…","proto":"tcp","state":"closed","midstream":false,
///      "start":"2026-01-31T23:59:59.123456Z","end":"…",
///      "client":{"address":"192.0.2.1","port":49152,"packets":7,"bytes":412,"missing":0,"file":"…"},
///      "server":{…}}
///
/// Only where there is something to say, after `end`: `encapsulation` (a list of `type`, `id`,
/// `source`, `destination`, outermost first) and `error` (why the session failed); in a side:
/// `file`, `saved` with `error` (why its file is not whole), `gaps` (a list of `offset`, `length`)
/// with `gap_count` where the list is cut, `duplicate`, `out_of_order`, `conflicting`,
/// `out_of_window`, `skipped`. The line is valid UTF-8 whatever the names and errors hold.
void append_index_line(const session_info& info, const session_summary& summary,
                       const index_files& files, std::string& out);

} // namespace weir
