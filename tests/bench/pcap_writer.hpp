/// Writes a capture file of Ethernet frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <weir/net/bytes.hpp>
#include <weir/net/time.hpp>

namespace weir::bench {

/// A pcap file in this machine's byte order with microseconds, as tcpdump writes it
/// (draft-ietf-opsawg-pcap, section 4). Throws std::system_error when writing fails.
class pcap_writer {
public:
  explicit pcap_writer(const std::string& path);
  ~pcap_writer();

  pcap_writer(const pcap_writer&) = delete;
  pcap_writer& operator=(const pcap_writer&) = delete;

  /// One frame of two parts.
  void write(timestamp time, bytes_view header, bytes_view payload);

  /// Writes what is buffered and closes; call it once, last.
  void close();

  std::uint64_t packets() const noexcept { return packets_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

private:
  void append(const void* data, std::size_t size);
  void flush();

  std::string path_;
  int fd_;
  std::vector<std::byte> buffer_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
};

} // namespace weir::bench
