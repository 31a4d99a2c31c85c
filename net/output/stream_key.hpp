/// One direction of one session as the key of a hash table.
#pragma once

#include <cstddef>
#include <cstdint>

#include <weir/net/flow.hpp>

namespace weir {

struct stream_key {
  std::uint64_t session_id;
  side s;

  bool operator==(const stream_key&) const = default;
};

/// Keyed: a session's id follows from packets, so who sends them could make ids collide.
struct hash_stream_key {
  std::size_t operator()(const stream_key& k) const noexcept {
    static const auto seed = secret_seed() | 1;
    const auto mixed = (k.session_id ^ seed) * (seed + 2 * index(k.s));
    return mixed ^ mixed >> 32;
  }
};

} // namespace weir
