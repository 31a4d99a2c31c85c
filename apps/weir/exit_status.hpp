/// What weir's subcommands return to the shell.
#pragma once

namespace weir::app {

enum exit_status : int {
  /// Everything was done.
  done = 0,
  /// Something failed or was incomplete: a damaged capture, a full disk. All that could be saved
  /// is.
  incomplete = 1,
  /// The command line makes no sense; nothing was done.
  wrong_usage = 2,
};

} // namespace weir::app
