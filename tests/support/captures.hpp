/// Capture files for tests, byte by byte: every variant of pcap and pcapng, sound or not.
///
///     pcap_file{}.add(time, frame).add(time + 1ms, frame, 1500).write(dir / "a.pcap");
///     pcapng_file{}.interface({.link = link_type::raw}).enhanced({.ticks = 5}, datagram).bytes();
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <weir/net/link_type.hpp>
#include <weir/net/time.hpp>
#include <weir/tests/support/packets.hpp>

namespace weir::test {

/// Throws where the file cannot be written.
void write_file(const std::filesystem::path& path, bytes_view bytes);

/// Appends numbers in this machine's byte order, or the other.
class file_writer {
public:
  explicit file_writer(bool swapped = false) : swapped_(swapped) {}

  file_writer& u16(std::uint64_t value) { return number<std::uint16_t>(value); }
  file_writer& u32(std::uint64_t value) { return number<std::uint32_t>(value); }
  file_writer& u64(std::uint64_t value) { return number<std::uint64_t>(value); }
  file_writer& append(content bytes);
  /// Zeros up to a multiple of four.
  file_writer& pad();

  void set_swapped(bool swapped) { swapped_ = swapped; }
  const byte_vector& bytes() const { return bytes_; }

private:
  template<class T>
  file_writer& number(std::uint64_t value);

  bool swapped_;
  byte_vector bytes_;
};

struct pcap_format {
  bool nanoseconds = false;
  /// Written on a machine of the other byte order.
  bool swapped = false;
  /// With the longer record headers of the patched libpcap.
  bool patched = false;
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t snaplen = 262144;
  link_type link = link_type::ethernet;
  /// Bits 16 to 31 of the field with the link type.
  std::uint16_t link_flags = 0;
};

/// What a record's header claims; what is not given is as it should be.
struct pcap_record {
  std::uint32_t seconds = 0;
  std::uint32_t fraction = 0;
  std::optional<std::uint32_t> captured = {};
  std::optional<std::uint32_t> wire = {};
};

class pcap_file {
public:
  explicit pcap_file(const pcap_format& format = {});

  /// `wire` is the length of `packet` where it is not given.
  pcap_file& add(timestamp time, content packet, std::optional<std::uint32_t> wire = {});
  pcap_file& add(const pcap_record& record, content packet);
  /// Anything.
  pcap_file& append(content bytes);

  const byte_vector& bytes() const { return writer_.bytes(); }
  void write(const std::filesystem::path& path) const { write_file(path, bytes()); }

private:
  pcap_format format_;
  file_writer writer_;
};

/// A pcap of these packets, a millisecond apart.
byte_vector pcap_of(const std::vector<byte_vector>& packets, timestamp first);

struct pcapng_interface {
  link_type link = link_type::ethernet;
  std::uint32_t snaplen = 0;
  /// if_tsresol and if_tsoffset; options that are not there where not given.
  std::optional<std::uint8_t> resolution = {};
  std::optional<std::int64_t> offset = {};
  /// Further options, as bytes, before these.
  byte_vector options = {};
};

/// What a packet block claims; what is not given is as it should be.
struct pcapng_packet {
  std::uint64_t ticks = 0;
  std::uint32_t interface = 0;
  std::optional<std::uint32_t> captured = {};
  std::optional<std::uint32_t> wire = {};
  /// Options, as bytes.
  byte_vector options = {};
};

class pcapng_file {
public:
  /// Begins with a section header.
  explicit pcapng_file(bool swapped = false) { section(swapped); }

  pcapng_file& section(bool swapped = false, std::uint16_t major = 1);
  pcapng_file& interface(const pcapng_interface& description = {});
  pcapng_file& enhanced(const pcapng_packet& block, content packet);
  pcapng_file& obsolete(const pcapng_packet& block, content packet);
  pcapng_file& simple(content packet, std::optional<std::uint32_t> wire = {});
  /// A block of any type. The lengths before and after the body are its own where not given.
  pcapng_file& block(std::uint32_t type, content body, std::optional<std::uint32_t> length = {},
                     std::optional<std::uint32_t> trailing_length = {});
  /// Anything.
  pcapng_file& append(content bytes);

  /// An Enhanced Packet Block on interface 0, which counts nanoseconds if this describes it: as it
  /// does where no interface() came before.
  pcapng_file& add(timestamp time, content packet, std::optional<std::uint32_t> wire = {});

  /// One option with its padding, in the section's byte order.
  byte_vector option(std::uint16_t code, content value) const;

  const byte_vector& bytes() const { return writer_.bytes(); }
  void write(const std::filesystem::path& path) const { write_file(path, bytes()); }

private:
  file_writer body() const { return file_writer{swapped_}; }

  bool swapped_ = false;
  bool described_ = false;
  file_writer writer_;
};

} // namespace weir::test
