/// The one class that a user of weir writes: it is told what was said in one session.
///
///     class print : public weir::accumulator {
///       verdict on_data(weir::side, weir::bytes_view bytes, weir::timestamp) override {
///         std::cout << weir::as_text(bytes);
///         return verdict::more;
///       }
///     };
///
/// Each session has an accumulator of its own, called from one thread at a time, in this order:
/// on_start, then any number of on_data and on_gap, then on_end exactly once, then destruction.
/// Bytes of one side come in stream order, each once; the two sides interleave as on the wire as
/// far as reassembly allows. An exception ends this session alone, as `failed`.
#pragma once

#include <functional>
#include <memory>

#include <weir/net/bytes.hpp>
#include <weir/net/session/session_info.hpp>
#include <weir/net/time.hpp>

namespace weir {

class accumulator {
public:
  /// Whether to hear more of the session. After `skip_rest` only on_end comes; what the session
  /// still carries is counted in `side_summary::skipped`.
  enum class verdict : std::uint8_t { more, skip_rest };

  accumulator() = default;
  accumulator(const accumulator&) = delete;
  accumulator& operator=(const accumulator&) = delete;
  virtual ~accumulator() = default;

  virtual verdict on_start(const session_info&) { return verdict::more; }

  /// `bytes` are valid during the call. `time` is that of the packet that carried them.
  virtual verdict on_data(side from, bytes_view bytes, timestamp time) = 0;

  /// Bytes that `from` sent and no one captured. `time` is when the gap was settled.
  virtual verdict on_gap(side from, const gap& missing, timestamp time);

  /// `summary.end` and the figures are final.
  virtual void on_end(const session_summary& summary);

  /// Memory is short: hand on or let go of what can be. May come at any time before on_end.
  virtual void on_pressure() {}
};

/// Makes the accumulator of each new session; called from many threads at a time.
using accumulator_factory = std::function<std::unique_ptr<accumulator>(const session_info&)>;

} // namespace weir
