#include <weir/tests/bench/tcp_frame.hpp>

#include <algorithm>
#include <bit>
#include <cassert>

namespace weir::bench {

namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ip_size = 20;

/// Writes network byte order into memory that is large enough.
class byte_writer {
public:
  explicit byte_writer(std::byte* at) noexcept : at_(at) {}

  byte_writer& u8(unsigned v) noexcept {
    *at_++ = static_cast<std::byte>(v);
    return *this;
  }
  byte_writer& u16(unsigned v) noexcept { return u8(v >> 8 & 255).u8(v & 255); }
  byte_writer& u32(std::uint32_t v) noexcept { return u16(v >> 16).u16(v & 0xffff); }
  byte_writer& address(const ip_address& a) noexcept {
    for (const auto byte : std::span{a.bytes}.first<4>())
      u8(byte);
    return *this;
  }
  /// Locally administered, made of the IP address.
  byte_writer& mac(const ip_address& a) noexcept { return u16(0x0200).address(a); }

  std::byte* position() const noexcept { return at_; }

private:
  std::byte* at_;
};

/// The Internet checksum's sum (RFC 1071) in this machine's byte order, not folded.
std::uint64_t sum(bytes_view bytes) noexcept {
  std::uint64_t total = 0;
  while (bytes.size() >= 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    total += word;
    bytes = bytes.subspan(4);
  }
  std::uint32_t last = 0;
  if (!bytes.empty()) std::memcpy(&last, bytes.data(), bytes.size());
  return total + last;
}

/// Folds and stores at `where`.
void store_checksum(std::uint64_t total, std::byte* where) noexcept {
  while (total >> 16 != 0)
    total = (total & 0xffff) + (total >> 16);
  const auto value = static_cast<std::uint16_t>(~total);
  std::memcpy(where, &value, sizeof value);
}

void put_options(byte_writer& out, const tcp_fields& f) noexcept {
  if ((f.flags & tcp_flag::syn) != 0) {
    out.u8(2).u8(4).u16(1460);
    out.u8(4).u8(2);
    out.u8(8).u8(10).u32(f.timestamp_value).u32(f.timestamp_echo);
    out.u8(1).u8(3).u8(3).u8(7);
  } else {
    out.u8(1).u8(1).u8(8).u8(10).u32(f.timestamp_value).u32(f.timestamp_echo);
  }
}

} // namespace

tcp_frame::tcp_frame(const endpoint& from, const endpoint& to, const tcp_fields& fields,
                     bytes_view payload) {
  assert(from.address.family == ip_family::v4 && to.address.family == ip_family::v4);
  const std::size_t tcp_size = (fields.flags & tcp_flag::syn) != 0 ? 40 : 32;
  const auto segment_size = static_cast<unsigned>(tcp_size + payload.size());
  size_ = ethernet_size + ip_size + tcp_size;

  byte_writer out{bytes_.data()};
  out.mac(to.address).mac(from.address).u16(0x0800);

  auto* const ip = out.position();
  out.u8(0x45).u8(0).u16(ip_size + segment_size).u16(fields.identification).u16(0x4000);
  out.u8(64).u8(6).u16(0).address(from.address).address(to.address);
  store_checksum(sum({ip, ip_size}), ip + 10);

  auto* const tcp = out.position();
  out.u16(from.port).u16(to.port).u32(fields.sequence).u32(fields.acknowledgment);
  // The window is not scaled in a SYN.
  const unsigned window = (fields.flags & tcp_flag::syn) != 0 ? 64240 : 2048;
  out.u8(static_cast<unsigned>(tcp_size / 4) << 4).u8(fields.flags).u16(window).u16(0).u16(0);
  put_options(out, fields);

  std::array<std::byte, 12> pseudo;
  byte_writer{pseudo.data()}.address(from.address).address(to.address).u16(6).u16(segment_size);
  store_checksum(sum(pseudo) + sum({tcp, tcp_size}) + sum(payload), tcp + 16);
}

} // namespace weir::bench
