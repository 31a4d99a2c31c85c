/// The actors that do the blocking file work, and the way to them.
#pragma once

#include <memory>
#include <vector>

#include <caf/actor.hpp>

#include <weir/actors/gauges.hpp>
#include <weir/actors/interfaces.hpp>
#include <weir/net/output/file_accumulator.hpp>
#include <weir/net/output/session_store.hpp>

namespace weir {

/// On a thread of its own. `parent` gets the `writer_report`.
writer_actor spawn_writer(caf::actor_system& system, std::unique_ptr<session_store> store,
                          std::shared_ptr<pipeline_gauges> gauges, caf::actor parent);

/// Hands what file accumulators collect to the writers; all of one session to the same one.
class writer_port : public store_port {
public:
  writer_port(std::vector<writer_actor> writers, std::shared_ptr<pipeline_gauges> gauges)
      : writers_(std::move(writers)), gauges_(std::move(gauges)) {}

  void append(std::uint64_t session_id, side s, stream_piece piece) override;
  void finish(finished_session session) override;

private:
  const writer_actor& writer_of(std::uint64_t session_id) const {
    return writers_[session_id % writers_.size()];
  }

  std::vector<writer_actor> writers_;
  std::shared_ptr<pipeline_gauges> gauges_;
};

} // namespace weir
