/// Where packets come from: capture files, and interfaces. All sources have this small interface.
#pragma once

#include <cstdint>

#include <weir/net/error.hpp>
#include <weir/net/packet_block.hpp>

namespace weir {

class packet_source {
public:
  enum class status : std::uint8_t {
    /// The block has packets, and there may be more at once.
    more,
    /// Nothing now, ask again later: live sources.
    idle,
    /// No more packets will come; the block may hold the last ones.
    end,
  };

  struct progress {
    /// Bytes of the input consumed, as stored (compressed), and in all; zero: unknown.
    std::uint64_t done = 0;
    std::uint64_t total = 0;
  };

  packet_source() = default;
  packet_source(const packet_source&) = delete;
  packet_source& operator=(const packet_source&) = delete;
  virtual ~packet_source() = default;

  /// Fills a cleared block. On an error the block still holds all packets that came before it, and
  /// the source is at its end.
  virtual result<status> fill(packet_block& block) = 0;

  virtual progress position() const noexcept { return {}; }
};

} // namespace weir
