/// What a capture's streams contain, as text: one line a stream with data,
/// `sender receiver bytes digest`, for example `10.1.0.1:40000 203.0.113.5:80 412 <32 hex digits>`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <weir/net/bytes.hpp>

struct XXH3_state_s;

namespace weir::bench {

/// A running XXH3-128 of a stream: as good as any at telling damage, and no load beside the work
/// that is measured.
class stream_digest {
public:
  stream_digest();
  stream_digest(stream_digest&&) noexcept;
  stream_digest& operator=(stream_digest&&) noexcept;
  ~stream_digest();

  void add(bytes_view bytes) noexcept;

  std::uint64_t bytes() const noexcept { return bytes_; }
  std::string hex() const;

private:
  struct free_state {
    void operator()(XXH3_state_s* state) const noexcept;
  };
  std::unique_ptr<XXH3_state_s, free_state> state_;
  std::uint64_t bytes_ = 0;
};

/// One line without the end of line.
std::string truth_line(const std::string& sender, const std::string& receiver,
                       const stream_digest& digest);

/// The same for a stream that lies in memory.
std::string truth_line(const std::string& sender, const std::string& receiver, bytes_view stream);

} // namespace weir::bench
