/// The accumulator of `weir dump`: keeps both streams in memory while they are small, hands on full
/// buffers of larger ones.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <weir/net/memory_budget.hpp>
#include <weir/net/output/session_store.hpp>
#include <weir/net/session/accumulator.hpp>

namespace weir {

/// Where a file accumulator hands its bytes: the way to a `session_store` on another thread.
class store_port {
public:
  virtual ~store_port() = default;
  virtual void append(std::uint64_t session_id, side s, stream_piece piece) = 0;
  virtual void finish(finished_session session) = 0;
};

struct file_accumulator_options {
  bool write_client = true;
  bool write_server = true;
  bool fill_gaps = false;
  /// A stream's buffer grows up to this, is then handed on.
  std::size_t spill_bytes = 256 << 10;
};

std::unique_ptr<accumulator> make_file_accumulator(const session_info& info,
                                                   const file_accumulator_options& options,
                                                   memory_budget& budget, store_port& port);

} // namespace weir
