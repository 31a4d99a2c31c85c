#include <weir/tests/support/captures.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>

namespace weir::test {

namespace {

std::uint32_t size_of(content bytes) { return static_cast<std::uint32_t>(bytes.view().size()); }

} // namespace

void write_file(const std::filesystem::path& path, bytes_view bytes) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  const auto text = as_text(bytes);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) throw std::runtime_error{"cannot write " + path.string()};
}

template<class T>
file_writer& file_writer::number(std::uint64_t value) {
  const auto cut = static_cast<T>(value);
  std::byte own[sizeof cut];
  std::memcpy(own, &cut, sizeof cut);
  if (swapped_) std::reverse(std::begin(own), std::end(own));
  return append(bytes_view{own});
}

file_writer& file_writer::append(content bytes) {
  bytes_.insert(bytes_.end(), bytes.view().begin(), bytes.view().end());
  return *this;
}

file_writer& file_writer::pad() {
  bytes_.resize((bytes_.size() + 3) / 4 * 4);
  return *this;
}

pcap_file::pcap_file(const pcap_format& format) : format_(format), writer_(format.swapped) {
  const auto magic = format.patched ? 0xa1b2cd34 : format.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  writer_.u32(magic).u16(format.major).u16(format.minor).u32(0).u32(0).u32(format.snaplen);
  writer_.u32(std::uint32_t{format.link_flags} << 16 | static_cast<std::uint32_t>(format.link));
}

pcap_file& pcap_file::add(timestamp time, content packet, std::optional<std::uint32_t> wire) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto fraction = (since - seconds).count() / (format_.nanoseconds ? 1 : 1000);
  return add({.seconds = static_cast<std::uint32_t>(seconds.count()),
              .fraction = static_cast<std::uint32_t>(fraction),
              .wire = wire},
             packet);
}

pcap_file& pcap_file::add(const pcap_record& record, content packet) {
  writer_.u32(record.seconds).u32(record.fraction);
  writer_.u32(record.captured.value_or(size_of(packet)));
  writer_.u32(record.wire.value_or(size_of(packet)));
  if (format_.patched) writer_.u32(2).u16(0x0800).u16(0);
  return append(packet);
}

pcap_file& pcap_file::append(content bytes) {
  writer_.append(bytes);
  return *this;
}

byte_vector pcap_of(const std::vector<byte_vector>& packets, timestamp first) {
  pcap_file file;
  for (const auto& p : packets) {
    file.add(first, p);
    first += std::chrono::milliseconds{1};
  }
  return file.bytes();
}

pcapng_file& pcapng_file::section(bool swapped, std::uint16_t major) {
  swapped_ = swapped;
  described_ = false;
  writer_.set_swapped(swapped);
  constexpr std::uint64_t unknown_length = ~std::uint64_t{0};
  return block(0x0a0d0d0a, body().u32(0x1a2b3c4d).u16(major).u16(0).u64(unknown_length).bytes());
}

pcapng_file& pcapng_file::interface(const pcapng_interface& description) {
  described_ = true;
  auto b = body();
  b.u16(static_cast<std::uint16_t>(description.link)).u16(0).u32(description.snaplen);
  b.append(description.options);
  if (description.resolution) b.append(option(9, raw({*description.resolution})));
  if (description.offset)
    b.append(option(14, body().u64(static_cast<std::uint64_t>(*description.offset)).bytes()));
  return block(1, b.u32(0).bytes());
}

pcapng_file& pcapng_file::enhanced(const pcapng_packet& block, content packet) {
  auto b = body();
  b.u32(block.interface).u32(block.ticks >> 32).u32(block.ticks);
  b.u32(block.captured.value_or(size_of(packet))).u32(block.wire.value_or(size_of(packet)));
  return this->block(6, b.append(packet).pad().append(block.options).bytes());
}

pcapng_file& pcapng_file::obsolete(const pcapng_packet& block, content packet) {
  constexpr std::uint16_t drops_unknown = 0xffff;
  auto b = body();
  b.u16(block.interface).u16(drops_unknown).u32(block.ticks >> 32).u32(block.ticks);
  b.u32(block.captured.value_or(size_of(packet))).u32(block.wire.value_or(size_of(packet)));
  return this->block(2, b.append(packet).pad().append(block.options).bytes());
}

pcapng_file& pcapng_file::simple(content packet, std::optional<std::uint32_t> wire) {
  return block(3, body().u32(wire.value_or(size_of(packet))).append(packet).pad().bytes());
}

pcapng_file& pcapng_file::block(std::uint32_t type, content body,
                                std::optional<std::uint32_t> length,
                                std::optional<std::uint32_t> trailing_length) {
  const auto own = (size_of(body) + 3) / 4 * 4 + 12;
  writer_.u32(type).u32(length.value_or(own)).append(body).pad();
  writer_.u32(trailing_length.value_or(length.value_or(own)));
  return *this;
}

pcapng_file& pcapng_file::append(content bytes) {
  writer_.append(bytes);
  return *this;
}

pcapng_file& pcapng_file::add(timestamp time, content packet, std::optional<std::uint32_t> wire) {
  constexpr std::uint8_t nanoseconds = 9;
  if (!described_) interface({.resolution = nanoseconds});
  const auto ticks = static_cast<std::uint64_t>(time.time_since_epoch().count());
  return enhanced({.ticks = ticks, .wire = wire}, packet);
}

byte_vector pcapng_file::option(std::uint16_t code, content value) const {
  return body().u16(code).u16(size_of(value)).append(value).pad().bytes();
}

} // namespace weir::test
