/// All actors of the pipeline: their messages and interfaces. Messages are handed over within one
/// process and never serialised.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <weir/actors/block_pool.hpp>
#include <weir/actors/compat.hpp>
#include <weir/net/decode/decoder.hpp>
#include <weir/net/output/session_store.hpp>
#include <weir/net/session/flow_table.hpp>

namespace weir {

// -- messages -------------------------------------------------------------------

/// A session's segments in one block: `count` entries of the shard's order from `begin`.
struct segment_slice {
  block_ref block;
  std::uint32_t shard = 0;
  std::uint32_t begin = 0;
  std::uint32_t count = 0;
};

/// Memory is short: let go of about `bytes`, by ending sessions if `evict`.
struct relief_request {
  std::size_t bytes = 0;
  bool evict = false;
};

/// Go on: with the next block, or where memory was missing.
struct proceed {};

/// Still without memory, in the same wait as when this was sent?
struct starving {
  std::uint64_t wait = 0;
  bool again = false;
};

/// No more packets: finish up and report to the pipeline.
struct end_of_input {};

/// The last session of a dispatcher that was told `end_of_input` is gone.
struct sessions_gone {};

/// Something waits in the writer's queue.
struct collect {
  bool timed = false;
};

// -- reports to whoever runs the pipeline ------------------------------------------

struct capture_report {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  /// Packets that the filter left out.
  std::uint64_t filtered = 0;
  decoder_counters decoded;
  /// Times of the earliest and the latest packet.
  timestamp first{};
  timestamp last{};
  std::vector<error> errors;
};

struct dispatcher_report {
  flow_counters flows;
};

struct writer_report {
  store_counters stored;
  std::optional<error> first_error;
};

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
    // Takes its shard of a decoded block.
    handles<block_ref>,
    // Makes its sessions let go of memory.
    handles<relief_request>,
    // Ends all sessions; reports when they are gone.
    handles<end_of_input>,
    // All its sessions are gone.
    handles<sessions_gone>>;

/// Owns a packet source.
using capture_actor = caf::typed_actor<
    // Takes the next block from the source.
    handles<proceed>,
    // Asks again for memory that did not come.
    handles<starving>,
    // Stops as if the input had ended.
    handles<end_of_input>>;

/// Owns a store and does the blocking file work.
using writer_actor = caf::typed_actor<
    // Writes what waits in its queue.
    handles<collect>,
    // Closes the store and reports.
    handles<end_of_input>>;

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::block_ref)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::segment_slice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::session_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::relief_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::proceed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::starving)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::end_of_input)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::sessions_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::capture_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::dispatcher_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::writer_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::collect)
