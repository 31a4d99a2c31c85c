#include <weir/net/capture/capture_stream.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include <weir/net/capture/record_parser.hpp>

namespace weir {

namespace {

/// Reads straight into the blocks, in pieces as large as they are, and lets the parser index the
/// packets there. What is left of a record that the block's end cut goes to the next block.
class capture_stream final : public packet_source {
public:
  capture_stream(std::unique_ptr<byte_reader> bytes, std::string name, bytes_view magic,
                 std::unique_ptr<record_parser> parser)
      : bytes_(std::move(bytes)),
        name_(std::move(name)),
        parser_(std::move(parser)),
        carry_(magic.begin(), magic.end()) {}

  result<status> fill(packet_block& block) override {
    if (!parser_) return status::end;
    auto outcome = read_packets(block);
    if (!block.packets.empty()) now_ = block.packets.back().time;
    block.now = now_;
    if (!outcome || *outcome == status::end) finish();
    return outcome;
  }

  progress position() const noexcept override {
    return bytes_ ? bytes_->position() : last_position_;
  }

private:
  result<status> read_packets(packet_block& block) {
    // Packets' offsets have 32 bits.
    const auto storage = block.storage().first(
        std::min<std::size_t>(block.storage().size(), std::numeric_limits<std::uint32_t>::max()));
    std::copy(carry_.begin(), carry_.end(), storage.begin());
    auto end = carry_.size();
    carry_.clear();
    for (;;) {
      const auto got = bytes_->read(storage.subspan(end));
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) {
        if (end != 0 || !parser_->between_records())
          return failed(errc::truncated, "ends within", {});
        return status::end;
      }
      end += *got;
      const auto stopped = parser_->parse(block, 0, end);
      if (!stopped) return failed(errc::damaged, "is damaged in", stopped.error());
      const auto rest = storage.subspan(*stopped, end - *stopped);
      if (!block.packets.empty()) {
        carry_.assign(rest.begin(), rest.end());
        return status::more;
      }
      std::memmove(storage.data(), rest.data(), rest.size());
      end = rest.size();
    }
  }

  tl::unexpected<error> failed(errc code, std::string_view how, const std::string& why) const {
    return tl::unexpected(
        error{code, name_,
              fmt::format("{} the record at byte {}{}{}", how, parser_->record_start(),
                          why.empty() ? "" : ": ", why)});
  }

  /// Nothing will be read any more: lets go of the file.
  void finish() {
    last_position_ = bytes_->position();
    bytes_.reset();
    parser_.reset();
  }

  std::unique_ptr<byte_reader> bytes_;
  std::string name_;
  /// None after the end.
  std::unique_ptr<record_parser> parser_;
  /// What was read beyond the last block's packets.
  std::vector<std::byte> carry_;
  timestamp now_{};
  progress last_position_;
};

struct signature {
  std::string_view bytes;
  std::string_view what;
};

using namespace std::string_view_literals;

/// What people hand over in the place of a capture, and how they get one from it.
constexpr signature others[] = {
    {"\x28\xb5\x2f\xfd"sv, "compressed with zstd: decompress it first (`zstd -dc`)"},
    {"\xfd"
     "7zX"sv,
     "compressed with xz: decompress it first (`xz -dc`)"},
    {"BZh"sv, "compressed with bzip2: decompress it first (`bzip2 -dc`)"},
    {"\x04\x22\x4d\x18"sv, "compressed with lz4: decompress it first (`lz4 -dc`)"},
    {"PK\x03\x04"sv, "a zip archive: unpack it first (`unzip -p`)"},
    {"snoo"sv, "a snoop capture: convert it first (`editcap -F pcap`)"},
    {"GMBU"sv, "a Network Monitor capture: convert it first (`editcap -F pcap`)"},
};

error not_a_capture(std::string name, bytes_view magic) {
  const auto* known = std::ranges::find_if(
      others, [&](const signature& s) { return as_text(magic).starts_with(s.bytes); });
  return {errc::not_a_capture, std::move(name),
          std::string{known == std::end(others) ? std::string_view{} : known->what}};
}

} // namespace

result<std::unique_ptr<packet_source>> read_capture(std::unique_ptr<byte_reader> bytes,
                                                    std::string name) {
  std::byte storage[magic_size];
  std::size_t size = 0;
  while (size < magic_size) {
    const auto got = bytes->read(std::span{storage}.subspan(size));
    // Broken compression is the matter of fill(), which tells what comes before it.
    if (!got && got.error().code == errc::system) return tl::unexpected(got.error());
    if (!got || *got == 0) break;
    size += *got;
  }
  const bytes_view magic{storage, size};
  // No bytes at all are the beginning of any format.
  auto parser = recognise_pcapng(magic);
  if (!parser) parser = recognise_pcap(magic);
  if (!parser) return tl::unexpected(not_a_capture(std::move(name), magic));
  return std::make_unique<capture_stream>(std::move(bytes), std::move(name), magic,
                                          std::move(parser));
}

} // namespace weir
