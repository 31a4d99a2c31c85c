#include <weir/tests/support/wireless_packets.hpp>

namespace weir::test {
namespace {

void append(byte_vector& to, bytes_view more) { to.insert(to.end(), more.begin(), more.end()); }

void pad(byte_vector& bytes, std::size_t multiple) {
  while (bytes.size() % multiple != 0)
    bytes.push_back(std::byte{0});
}

void append_be(byte_vector& to, std::uint64_t value, int size) {
  for (auto shift = (size - 1) * 8; shift >= 0; shift -= 8)
    to.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

void append_le(byte_vector& to, std::uint64_t value, int size) {
  for (auto shift = 0; shift < size * 8; shift += 8)
    to.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

/// Header and payload of IEEE 802.2 with SNAP.
byte_vector snap(const network& inner) {
  auto bytes = raw({0xaa, 0xaa, 3, 0, 0, 0});
  append_be(bytes, inner.ethertype, 2);
  append(bytes, inner.data);
  return bytes;
}

void append_address(byte_vector& to, int number) { append(to, raw({2, 0, 0, 0, 0, number})); }

byte_vector wlan_header(const wlan_fields& f) {
  constexpr int has_qos = 0x80;
  byte_vector h = raw({f.control | (f.qos ? has_qos : 0), f.flags, 0, 0});
  for (const int number : {1, 2, 3})
    append_address(h, number);
  append_le(h, std::size_t{7} << 4 | f.fragment_number, 2);
  constexpr auto both = wlan_flag::to_ds | wlan_flag::from_ds;
  if ((f.flags & both) == both) append_address(h, 4);
  if (f.qos) append_le(h, *f.qos, 2);
  if (f.qos && (f.flags & wlan_flag::order) != 0) append_le(h, 0x12345678, 4);
  if (f.aligned) pad(h, 4);
  return h;
}

} // namespace

byte_vector wlan(const wlan_fields& fields, const network& inner) {
  auto bytes = wlan_header(fields);
  append(bytes, snap(inner));
  return bytes;
}

byte_vector wlan_aggregate(const std::vector<network>& packets) {
  byte_vector body;
  for (const auto& p : packets) {
    pad(body, 4);
    append_address(body, 1);
    append_address(body, 2);
    const auto payload = snap(p);
    append_be(body, payload.size(), 2);
    append(body, payload);
  }
  auto bytes = wlan_header({.qos = std::uint8_t{0x80}});
  append(bytes, body);
  return bytes;
}

byte_vector radiotap(const radiotap_fields& f, const byte_vector& frame) {
  constexpr std::uint32_t has_rate = 4;
  constexpr std::uint32_t has_more = 0x80000000;
  byte_vector fields;
  append_le(
      fields,
      has_rate | (f.time ? 1u : 0u) | (f.flags ? 2u : 0u) | (f.more_words != 0 ? has_more : 0), 4);
  for (auto left = f.more_words; left != 0; --left)
    append_le(fields, left > 1 ? has_more : 0, 4);
  // Fields are aligned from the header's begin; four bytes of it come before these.
  if (f.time) {
    if (fields.size() % 8 != 4) append_le(fields, 0, 4);
    // Bytes that would be flags of a damaged frame.
    append_le(fields, 0x4040404040404040, 8);
  }
  if (f.flags) append_le(fields, *f.flags, 1);
  append_le(fields, 2, 1);
  byte_vector bytes = raw({0, 0});
  append_le(bytes, fields.size() + 4, 2);
  append(bytes, fields);
  append(bytes, frame);
  return bytes;
}

byte_vector prism(const byte_vector& frame) {
  byte_vector bytes;
  append_le(bytes, 0x44, 4);
  append_le(bytes, 144, 4);
  bytes.resize(144);
  append(bytes, frame);
  return bytes;
}

byte_vector avs(const byte_vector& frame, std::uint8_t version) {
  constexpr std::size_t size = 64;
  byte_vector bytes;
  append_be(bytes, 0x80211000 | version, 4);
  append_be(bytes, size, 4);
  bytes.resize(size);
  append(bytes, frame);
  return bytes;
}

byte_vector ppi(link_type link, const byte_vector& frame) {
  constexpr std::size_t fields = 24;
  byte_vector bytes = raw({0, 0});
  append_le(bytes, 8 + fields, 2);
  append_le(bytes, static_cast<std::uint16_t>(link), 4);
  append_le(bytes, 2, 2); // 802.11-Common
  append_le(bytes, fields - 4, 2);
  bytes.resize(8 + fields);
  append(bytes, frame);
  return bytes;
}

} // namespace weir::test
