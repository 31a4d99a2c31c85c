#include <weir/tests/bench/truth.hpp>

#include <array>

#include <xxhash.h>

namespace weir::bench {

namespace {

std::string to_hex(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : canonical.digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

} // namespace

stream_digest::stream_digest() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

stream_digest::stream_digest(stream_digest&&) noexcept = default;
stream_digest& stream_digest::operator=(stream_digest&&) noexcept = default;
stream_digest::~stream_digest() = default;

void stream_digest::free_state::operator()(XXH3_state_s* state) const noexcept {
  XXH3_freeState(state);
}

void stream_digest::add(bytes_view bytes) noexcept {
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
  bytes_ += bytes.size();
}

std::string stream_digest::hex() const { return to_hex(XXH3_128bits_digest(state_.get())); }

std::string truth_line(const std::string& sender, const std::string& receiver,
                       const stream_digest& digest) {
  return sender + ' ' + receiver + ' ' + std::to_string(digest.bytes()) + ' ' + digest.hex();
}

std::string truth_line(const std::string& sender, const std::string& receiver, bytes_view stream) {
  return sender + ' ' + receiver + ' ' + std::to_string(stream.size()) + ' '
         + to_hex(XXH3_128bits(stream.data(), stream.size()));
}

} // namespace weir::bench
