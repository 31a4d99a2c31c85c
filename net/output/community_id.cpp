#include <weir/net/output/community_id.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include <openssl/evp.h>

namespace weir {

namespace {

using sha1_digest = std::array<unsigned char, 20>;

struct free_openssl {
  void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

/// SHA-1 over and over: looking the algorithm up and allocating a context costs more than the hash.
class sha1 {
public:
  std::optional<sha1_digest> operator()(const void* data, std::size_t size) noexcept {
    sha1_digest digest;
    const bool ok = md_ && context_ && EVP_DigestInit_ex2(context_.get(), md_.get(), nullptr)
                    && EVP_DigestUpdate(context_.get(), data, size)
                    && EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    if (!ok) return std::nullopt;
    return digest;
  }

private:
  std::unique_ptr<EVP_MD, free_openssl> md_{EVP_MD_fetch(nullptr, "SHA1", nullptr)};
  std::unique_ptr<EVP_MD_CTX, free_openssl> context_{EVP_MD_CTX_new()};
};

class input {
public:
  void add(const void* bytes, std::size_t n) noexcept {
    std::memcpy(bytes_.data() + size_, bytes, n);
    size_ += n;
  }
  void add_port(std::uint16_t port) noexcept {
    const std::uint8_t big_endian[] = {static_cast<std::uint8_t>(port >> 8),
                                       static_cast<std::uint8_t>(port & 0xff)};
    add(big_endian, sizeof big_endian);
  }
  const void* data() const noexcept { return bytes_.data(); }
  std::size_t size() const noexcept { return size_; }

private:
  // Seed, two addresses, protocol, padding, two ports.
  std::array<std::uint8_t, 2 + 16 + 16 + 1 + 1 + 2 + 2> bytes_{};
  std::size_t size_ = 0;
};

} // namespace

void append_community_id(const endpoint& a, const endpoint& b, std::uint8_t protocol,
                         std::string& out) {
  thread_local sha1 hash;
  const auto [first, second] = std::minmax(a, b, [](const endpoint& x, const endpoint& y) {
    const int order = std::memcmp(x.address.bytes.data(), y.address.bytes.data(), 16);
    return order != 0 ? order < 0 : x.port < y.port;
  });
  const std::size_t address_size = a.address.family == ip_family::v4 ? 4 : 16;
  input text;
  const std::uint8_t seed[2] = {0, 0};
  const std::uint8_t protocol_and_padding[2] = {protocol, 0};
  text.add(seed, sizeof seed);
  text.add(first.address.bytes.data(), address_size);
  text.add(second.address.bytes.data(), address_size);
  text.add(protocol_and_padding, sizeof protocol_and_padding);
  text.add_port(first.port);
  text.add_port(second.port);
  const auto digest = hash(text.data(), text.size());
  if (!digest) return;
  // 20 bytes make 28 characters; EVP_EncodeBlock adds a NUL.
  unsigned char base64[29];
  EVP_EncodeBlock(base64, digest->data(), static_cast<int>(digest->size()));
  out += "1:";
  out.append(reinterpret_cast<const char*>(base64), 28);
}

} // namespace weir
