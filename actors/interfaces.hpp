/// All actors of the pipeline: their messages and interfaces. Messages are handed over within one
/// process and never serialised.
#pragma once

#include <cstddef>
#include <cstdint>

#include <weir/actors/block_pool.hpp>
#include <weir/actors/compat.hpp>
#include <weir/net/session/session.hpp>

namespace weir {

// -- messages -------------------------------------------------------------------

/// A session's segments in one block: `count` entries of the shard's order from `begin`.
struct segment_slice {
  block_ref block;
  std::uint32_t shard = 0;
  std::uint32_t begin = 0;
  std::uint32_t count = 0;
};

/// Memory is short: let go of some.
struct relief_request {};

/// Go on: with the next block, or where memory was missing.
struct proceed {};

/// Still without memory, in the same wait as when this was sent?
struct starving {
  std::uint64_t wait = 0;
};

/// Something waits in the actor's lane, or no more will come there.
struct collect {
  bool timed = false;
};

// -- to whoever runs the pipeline ---------------------------------------------------

/// A capture, a dispatcher or a writer has done all it had to; its lane has the figures.
struct lane_done {};

/// The last session is gone, and no more will come.
struct sessions_gone {};

// -- actors -----------------------------------------------------------------------

/// One TCP conversation: a thin shell around `session`.
using session_actor = caf::typed_actor<
    // Reassembles the segments and lets go of the block.
    handles<segment_slice>,
    // The same, and the session is over.
    handles<segment_slice, session_end>,
    // Memory is short: hands on what it holds.
    handles<relief_request>>;

/// Owns the flows of one shard and spawns their sessions.
using dispatcher_actor = caf::typed_actor<
    // Takes its shard of the blocks in its lane; at the end of input, ends all sessions.
    handles<collect>,
    // Makes its sessions let go of memory.
    handles<relief_request>>;

/// Owns a packet source.
using capture_actor = caf::typed_actor<
    // Takes the next block from the source.
    handles<proceed>,
    // Asks again for memory that did not come.
    handles<starving>>;

/// Owns a store and does the blocking file work.
using writer_actor = caf::typed_actor<
    // Writes what waits in its lane; when no more will come, closes the store.
    handles<collect>>;

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::block_ref)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::segment_slice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::session_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::relief_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::proceed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::starving)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::collect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::lane_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::sessions_gone)
