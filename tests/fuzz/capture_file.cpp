/// Capture files of any kind, through decompression and both formats.
#include <cstdlib>

#include <weir/net/capture/capture_stream.hpp>
#include <weir/net/capture/gzip_reader.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const bytes_view input{reinterpret_cast<const std::byte*>(data), size};
  auto source = read_capture(read_decompressed(read_memory(input), "input"), "input");
  if (!source) return 0;
  static packet_block block{0};
  for (;;) {
    block.clear();
    const auto outcome = (*source)->fill(block);
    for (const auto& p : block.packets) {
      const bool inside = std::size_t{p.offset} + p.captured <= block.storage().size();
      const bool in_time = p.time >= timestamp{} && p.time <= latest_time;
      if (!inside || !in_time || p.captured > p.wire) std::abort();
    }
    if (outcome && *outcome == packet_source::status::end) return 0;
  }
}
