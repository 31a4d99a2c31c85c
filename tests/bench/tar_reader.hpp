/// The regular files of a tar archive.
#pragma once

#include <functional>
#include <string>

#include <weir/net/bytes.hpp>

namespace weir::bench {

/// Calls `visit` for each regular file, in order. Understands ustar names, and long names as GNU
/// tar and pax write them (POSIX.1-2017 pax). Throws std::runtime_error on anything else.
void for_each_tar_member(
    bytes_view archive,
    const std::function<void(const std::string& name, bytes_view content)>& visit);

} // namespace weir::bench
