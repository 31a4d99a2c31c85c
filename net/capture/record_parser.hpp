/// What the two capture formats have in common: a stream of records, indexed where it lies in a
/// block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include <weir/net/bytes.hpp>
#include <weir/net/packet_block.hpp>

namespace weir {

class record_parser {
public:
  record_parser() = default;
  record_parser(const record_parser&) = delete;
  record_parser& operator=(const record_parser&) = delete;
  virtual ~record_parser() = default;

  /// Reads on in the stream, whose next bytes are [begin, end) of the block's storage, and appends
  /// the packets that are complete there. Returns where it stopped for want of bytes; these come
  /// again, followed by more, at the next call. Never wants more than `packet_block::max_packet` at
  /// once. Fails with words for what is damaged.
  virtual tl::expected<std::size_t, std::string> parse(packet_block& block, std::size_t begin,
                                                       std::size_t end) = 0;

  /// False where the stream cannot end after what was taken so far.
  virtual bool between_records() const noexcept = 0;

  /// Where in the stream the record began that is being read, or was damaged.
  virtual std::uint64_t record_start() const noexcept = 0;
};

/// Bytes from which a format is told.
inline constexpr std::size_t magic_size = 4;

/// The parser for a stream that begins like this, or null. `magic` may be shorter where the stream
/// is: it counts as a format's where it is the beginning of its magic number.
std::unique_ptr<record_parser> recognise_pcap(bytes_view magic);
std::unique_ptr<record_parser> recognise_pcapng(bytes_view magic);

} // namespace weir
