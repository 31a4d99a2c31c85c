/// What the servers of the web capture have to offer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <weir/tests/bench/random.hpp>

namespace weir::bench {

struct web_object {
  std::string path;
  std::string etag;
  std::string_view content_type;
  /// `body` is a gzip file, as browsers accept them for text.
  bool gzip = false;
  std::string body;
};

/// Pages, scripts, pictures and downloads from 200 bytes to 300 KB.
std::vector<web_object> make_web_objects(std::size_t count, random& random);

} // namespace weir::bench
