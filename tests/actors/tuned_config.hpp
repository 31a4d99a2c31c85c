/// The settings that the command runs with, for tests.
#pragma once

#include <caf/actor_system_config.hpp>

#include <weir/actors/scheduler.hpp>

namespace weir::test {

class tuned_config : public caf::actor_system_config {
public:
  tuned_config() { tune(*this); }
};

} // namespace weir::test
