/// `weir dump`: sessions to files.
#pragma once

namespace CLI {
class App;
}

namespace weir::app {

/// Adds the subcommand; `status` gets its exit status when it runs.
void add_dump(CLI::App& app, int& status);

} // namespace weir::app
