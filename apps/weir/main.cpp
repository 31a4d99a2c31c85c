/// The command: one subcommand a file.

#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <weir/apps/weir/dump.hpp>
#include <weir/apps/weir/exit_status.hpp>

namespace {

int run(int argc, char** argv) {
  CLI::App app{"weir puts the conversations on a network wire back together."};
  app.name("weir");
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* command, const CLI::Error& e) {
    const auto chosen = command->get_subcommands();
    const auto name = chosen.empty() ? "weir" : "weir " + chosen.front()->get_name();
    return fmt::format("weir: {} (`{} --help` shows how)\n", e.what(), name);
  });
  int status = weir::app::done;
  weir::app::add_dump(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // Help and version are errors of code 0 to CLI11.
    return app.exit(e) == 0 ? weir::app::done : weir::app::wrong_usage;
  }
  return status;
}

} // namespace

int main(int argc, char** argv) {
  // A closed pipe and a file size limit are errors like others: reported, with all else saved.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "weir: {}\n", e.what());
    return weir::app::incomplete;
  }
}
