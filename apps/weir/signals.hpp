/// What signals ask a running command to do.
#pragma once

#include <memory>

#include <weir/net/capture/interruption.hpp>

namespace weir::app {

/// While it lives: SIGINT and SIGTERM ask to stop, the second of them ends the process at once with
/// 128 + its number as the shell has it; SIGUSR1 asks for a status line. One at a time.
class signals {
public:
  signals();
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

  /// Raised when asked to stop.
  const std::shared_ptr<interruption>& stop() const noexcept { return stop_; }

  /// Whether a status line was asked for since the last call.
  bool status_wanted() noexcept;

private:
  std::shared_ptr<interruption> stop_ = std::make_shared<interruption>();
};

} // namespace weir::app
