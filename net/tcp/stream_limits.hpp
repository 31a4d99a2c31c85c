/// What a stream takes for possible.
#pragma once

#include <chrono>
#include <cstdint>

#include <weir/net/time.hpp>

namespace weir {

/// Bytes beyond the next one that are plausible however small the announced window: announcements
/// get lost, and an orderly flow's are not looked at.
inline constexpr std::uint64_t least_allowance = 1 << 20;

/// The same where the window's scale is not known: larger than the windows in common use.
inline constexpr std::uint64_t unknown_window = 16 << 20;

/// What is held back at a midstream start while no acknowledgement tells where it is.
inline constexpr std::size_t hold_back_limit = 64 << 10;

/// Contiguous data that is believed without an acknowledgement, wherever it is.
inline constexpr std::size_t sustained_run = 64 << 10;

/// How much later a capture may have bytes than the acknowledgement of them: where the two
/// directions come from different queues or taps, the answer is often written before the question.
inline constexpr duration reordering_grace = std::chrono::milliseconds{10};

} // namespace weir
