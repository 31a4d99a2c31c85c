/// Bytes from a file, a pipe or memory, into memory of the caller's.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <weir/net/bytes.hpp>
#include <weir/net/capture/interruption.hpp>
#include <weir/net/error.hpp>
#include <weir/net/packet_source.hpp>

namespace weir {

class byte_reader {
public:
  byte_reader() = default;
  byte_reader(const byte_reader&) = delete;
  byte_reader& operator=(const byte_reader&) = delete;
  virtual ~byte_reader() = default;

  /// Waits for the first byte, then reads what can be had without waiting, so that files fill
  /// `into` and a slow pipe is not waited for. Zero: the end, now and ever after. An error comes
  /// after all bytes before it were handed out.
  virtual result<std::size_t> read(std::span<std::byte> into) = 0;

  /// Whether read() would return at once.
  virtual bool ready() const noexcept = 0;

  /// Bytes taken from the input as it is stored.
  virtual packet_source::progress position() const noexcept = 0;

  /// Whether the input can be opened again from its start. Pipes and standard input cannot.
  virtual bool reopens() const noexcept = 0;
};

/// Opens a file, a FIFO or a device, or standard input for "-". Takes what is there as it is. Fails
/// for directories already here. `stop`, where given, ends waiting for a pipe or device.
result<std::unique_ptr<byte_reader>> open_file(const std::string& path,
                                               std::shared_ptr<const interruption> stop = {});

/// Reads memory that must outlive the reader.
std::unique_ptr<byte_reader> read_memory(bytes_view bytes);

/// How errors name a path: "-" is standard input.
std::string display_name(const std::string& path);

} // namespace weir
