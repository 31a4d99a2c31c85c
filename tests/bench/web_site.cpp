#include <weir/tests/bench/web_site.hpp>

#include <stdexcept>

#include <fmt/format.h>
#include <zlib.h>

namespace weir::bench {

namespace {

struct content_kind {
  std::string_view type;
  std::string_view extension;
  bool text;
};

constexpr content_kind kinds[] = {
    {"text/html; charset=utf-8", "html", true},
    {"application/javascript", "js", true},
    {"text/css", "css", true},
    {"application/json", "json", true},
    {"image/webp", "webp", false},
    {"image/avif", "avif", false},
    {"font/woff2", "woff2", false},
    {"application/octet-stream", "bin", false},
};

std::string make_text(std::size_t size, random& random) {
  static constexpr std::string_view words[] = {
      "stream", "packet", "<p>",   "</p>",  "river",         "gate",     "<a href=\"/",
      "\">",    "</a>",   "water", "level", "flow",          "measured", "the",
      "of",     "at",     "weir",  "\n",    "<div class=\"", "\">"};
  std::string text = "<!doctype html>\n";
  while (text.size() < size) {
    text += words[random.between(0, std::size(words) - 1)];
    text += ' ';
    if (random.chance(0.3)) text += std::to_string(random.next32());
  }
  text.resize(size);
  return text;
}

std::string make_noise(std::size_t size, random& random) {
  std::string noise(size, '\0');
  for (auto& c : noise)
    c = static_cast<char>(random.next() & 255);
  return noise;
}

std::string gzip(std::string_view text) {
  z_stream z{};
  // 31: the largest window, and a gzip header.
  if (deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2 failed");
  std::string packed(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  const auto status = deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return packed;
}

/// Most things are small, most bytes are in large ones.
std::size_t draw_size(random& random) {
  const bool large = random.chance(0.27);
  return static_cast<std::size_t>(large ? random.log_between(8'000, 300'000)
                                        : random.log_between(200, 20'000));
}

} // namespace

std::vector<web_object> make_web_objects(std::size_t count, random& random) {
  std::vector<web_object> objects(count);
  for (auto& o : objects) {
    const auto& kind = kinds[random.between(0, std::size(kinds) - 1)];
    const auto size = draw_size(random);
    o.path = fmt::format("/assets/{:08x}.{}", random.next32(), kind.extension);
    o.etag = fmt::format("\"{:08x}-{:x}\"", random.next32(), size);
    o.content_type = kind.type;
    o.gzip = kind.text && random.chance(0.8);
    // Text of this sort packs to about two fifths.
    if (o.gzip)
      o.body = gzip(make_text(size * 5 / 2, random));
    else
      o.body = kind.text ? make_text(size, random) : make_noise(size, random);
  }
  return objects;
}

} // namespace weir::bench
