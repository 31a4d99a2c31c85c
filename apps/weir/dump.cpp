#include <weir/apps/weir/dump.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <fmt/format.h>

#include <weir/actors/compat.hpp>
#include <weir/actors/pipeline.hpp>
#include <weir/actors/scheduler.hpp>
#include <weir/apps/weir/exit_status.hpp>
#include <weir/apps/weir/progress.hpp>
#include <weir/apps/weir/signals.hpp>
#include <weir/apps/weir/status_line.hpp>
#include <weir/apps/weir/summary.hpp>
#include <weir/apps/weir/units.hpp>
#include <weir/net/capture/capture_files.hpp>
#include <weir/net/output/file_store.hpp>
#include <weir/net/output/output_folder.hpp>
#include <weir/net/output/tar_file.hpp>
#include <weir/net/output/tar_store.hpp>

namespace weir::app {

namespace {

using namespace std::chrono_literals;

constexpr const char* examples = R"(
Examples:
  weir dump -r trace.pcap -o out               every TCP session of a capture, both sides
  weir dump -r mon.pcapng tue.pcapng.gz -o out
                                               several files, as one capture
  tcpdump -w - port 80 | weir dump -r - -o out --side client
                                               what clients sent, as it is captured
  weir dump -r trace.pcap -f 'host 192.0.2.7 and port 443' -o out
                                               only packets that match
  weir dump -r trace.pcap --tar - | tar xf - -C /tmp/sessions
                                               one stream instead of many files
  weir dump -r trace.pcap -o out --name '{server}/{start:%Y-%m-%d}/{id}.{side}'
                                               names of your own, in folders

Name fields: {id} {community_id} {start} {start:STRFTIME} {client} {client_port} {server}
  {server_port} {side} {source} {source_port} {destination} {destination_port}

SIGINT or SIGTERM ends the capture: all sessions that are open are written as `open`. A second one
  ends weir at once. SIGUSR1 prints a line on the state of things.

Exit status: 0 done; 1 something failed or was incomplete; 2 wrong usage.
)";

constexpr std::uint64_t least_memory = 16 << 20;

struct dump_settings {
  std::vector<std::string> files;
  std::string output;
  std::string tar;
  std::string side = "both";
  std::string name{name_template::default_text};
  std::string filter;
  std::string overlap = "first";
  flow_options flows;
  bool no_midstream = false;
  bool verify_checksums = false;
  bool fill_gaps = false;
  std::uint64_t max_session_bytes = 0;
  std::uint64_t memory = pipeline_options{}.memory;
  duration status_interval{};
  std::uint64_t count = 0;
  bool quiet = false;
  bool json = false;
};

void complain(const error& e) { fmt::print(stderr, "weir: {}\n", e.message()); }

/// Half of the cores: capture, dispatchers and sessions need the others. But two at least: much of
/// their time is the kernel's, some of it spent waiting.
std::size_t writer_count() { return std::clamp(std::thread::hardware_concurrency() / 2, 2u, 8u); }

std::size_t dispatcher_count() {
  return std::clamp(std::thread::hardware_concurrency() / 4, 1u, 16u);
}

bool is_whole(const pipeline_report& r) {
  const auto failed = r.stored.by_state[static_cast<std::size_t>(session_state::failed)];
  return r.capture.errors.empty() && !r.first_write_error && r.stored.files_failed == 0
         && r.stored.index_lines_lost == 0 && failed == 0 && r.segments_lost == 0
         && r.sessions_untold == 0 && !r.gave_up;
}

class dump_run {
public:
  explicit dump_run(const dump_settings& settings) : settings_(settings) {}

  int operator()() {
    if (const auto failed = prepare()) {
      complain(*failed);
      return failed->code == errc::bad_filter || failed->code == errc::bad_template ? wrong_usage
                                                                                    : incomplete;
    }
    const auto report = run();
    if (!settings_.quiet) show(report);
    for (const auto& e : report.capture.errors)
      complain(e);
    if (report.first_write_error) complain(*report.first_write_error);
    return is_whole(report) ? done : incomplete;
  }

private:
  /// Everything that can be wrong before the first packet, in the order in which a user would mend
  /// it.
  std::optional<error> prepare();
  std::optional<error> open_folder(const name_template& names);
  std::optional<error> open_tar(const name_template& names);
  pipeline_report run();
  void watch(pipeline_options& options, progress_line& progress);
  void show(const pipeline_report& report) const;

  const dump_settings& settings_;
  std::unique_ptr<packet_source> source_;
  std::shared_ptr<tar_file> tar_;
  signals signals_;
  pipeline_options options_;
  double seconds_ = 0;
};

std::optional<error> dump_run::prepare() {
  auto names = name_template::parse(settings_.name);
  if (!names) return names.error();
  if (!settings_.filter.empty()) {
    auto filter = packet_filter::compile(settings_.filter);
    if (!filter) return filter.error();
    options_.filter = std::move(*filter);
  }
  auto source = open_capture_files(settings_.files, signals_.stop());
  if (!source) return source.error();
  source_ = std::move(*source);

  return settings_.tar.empty() ? open_folder(*names) : open_tar(*names);
}

std::optional<error> dump_run::open_folder(const name_template& names) {
  auto folder = output_folder::open(settings_.output);
  if (!folder) return folder.error();
  if (const auto& left = (*folder)->leftovers(); !left.empty())
    fmt::print(stderr, "weir: {}: left alone what an interrupted run left: {}\n", settings_.output,
               describe_leftovers(left));
  const auto writers = writer_count();
  const file_store_options store{names, open_file_limit(writers)};
  for (std::size_t i = 0; i < writers; ++i)
    options_.stores.push_back(make_file_store(*folder, store));
  return std::nullopt;
}

std::optional<error> dump_run::open_tar(const name_template& names) {
  auto tar = tar_file::create(settings_.tar);
  if (!tar) return tar.error();
  tar_ = std::move(*tar);
  for (std::size_t i = 0; i < writer_count(); ++i)
    options_.stores.push_back(make_tar_store(tar_, names));
  return std::nullopt;
}

pipeline_report dump_run::run() {
  options_.decoding.verify_checksums = settings_.verify_checksums;
  options_.flows = settings_.flows;
  options_.flows.midstream = !settings_.no_midstream;
  options_.sessions.max_bytes = settings_.max_session_bytes;
  options_.sessions.stream.overlap =
      settings_.overlap == "last" ? overlap_policy::last : overlap_policy::first;
  options_.max_packets = settings_.count;
  options_.memory = settings_.memory;
  options_.dispatchers = dispatcher_count();

  file_accumulator_options files;
  files.write_client = settings_.side != "server";
  files.write_server = settings_.side != "client";
  files.fill_gaps = settings_.fill_gaps;
  options_.accumulators = [files](store_port& port, memory_budget& budget) -> accumulator_factory {
    return [files, &port, &budget](const session_info& info) {
      return make_file_accumulator(info, files, budget, port);
    };
  };

  caf::actor_system_config config;
  tune(config);
  caf::actor_system system{config};
  progress_line progress{!settings_.quiet};
  watch(options_, progress);
  const auto started = std::chrono::steady_clock::now();
  auto report = run_pipeline(system, std::move(source_), std::move(options_));
  if (report.hung) {
    progress.clear();
    fmt::print(stderr, "weir: something did not stop; what it still held is lost\n");
    // Its actors are still at work, and cannot be waited for.
    std::_Exit(incomplete);
  }
  if (tar_) {
    const auto closed = tar_->close();
    if (!closed && !report.first_write_error) report.first_write_error = closed.error();
  }
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return report;
}

void dump_run::watch(pipeline_options& options, progress_line& progress) {
  const auto interval = settings_.status_interval;
  options.watch = [this, &progress,
                   timer = status_timer{interval}](const pipeline_status& status) mutable {
    const bool due = timer.due();
    if (signals_.status_wanted() || due) {
      progress.clear();
      fmt::print(stderr, "{}\n", status_text(status));
    }
    progress.show(status.gauges);
    return !signals_.stop()->raised();
  };
  if (interval > duration{})
    options.interval = std::min(
        options.interval, std::max(std::chrono::ceil<std::chrono::milliseconds>(interval), 1ms));
  options.on_failure = [&progress](const std::string& line) {
    progress.clear();
    fmt::print(stderr, "weir: {}\n", line);
  };
}

void dump_run::show(const pipeline_report& report) const {
  if (!settings_.json) {
    fmt::print(stderr, "{}", summary_text(report, seconds_));
    return;
  }
  // Standard output is for data; with the tar there, the summary goes the other way.
  fmt::print(settings_.tar == "-" ? stderr : stdout, "{}\n", summary_json(report, seconds_));
}

void add_source_options(CLI::App& app, dump_settings& s) {
  app.add_option("-r,--read", s.files,
                 "Capture file, pcap or pcapng, plain or gzip; - is standard input")
      ->type_name("FILE")
      ->required()
      ->group("Input");
  app.add_option("-f,--filter", s.filter, "Only packets that match (pcap-filter(7))")
      ->type_name("FILTER")
      ->group("Input");
  app.add_option("-c,--count", s.count, "Stop after this many packets")
      ->type_name("COUNT")
      ->check(CLI::PositiveNumber)
      ->group("Input");
  app.add_flag("--verify-checksums", s.verify_checksums,
               "Reject packets with wrong checksums (hosts that offload them capture wrong ones)")
      ->group("Input");
}

void add_session_options(CLI::App& app, dump_settings& s) {
  app.add_flag("--no-midstream", s.no_midstream, "Only sessions whose handshake was captured")
      ->group("Sessions");
  app.add_option("--overlap", s.overlap,
                 "Which copy counts where segments overlap and neither was delivered yet")
      ->check(CLI::IsMember({"first", "last"}))
      ->capture_default_str()
      ->group("Sessions");
  add_duration(app, "--idle-timeout", s.flows.idle_timeout,
               "End sessions without packets for this long, in packet time (default 124m)")
      ->group("Sessions");
  app.add_option("--max-sessions", s.flows.max_sessions,
                 "Sessions open at a time; beyond, the longest idle are evicted")
      ->type_name("COUNT")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group("Sessions");
  add_size(app, "--max-session-bytes", s.max_session_bytes,
           "Payload kept of each session; what is beyond is counted as skipped")
      ->group("Sessions");
  add_size(app, "--memory", s.memory, "Memory for all that grows with the traffic (default 224M)")
      ->group("Sessions");
}

void add_output_options(CLI::App& app, dump_settings& s) {
  auto* output = app.add_option("-o,--output", s.output,
                                "Folder for the streams and sessions.jsonl; made if it is missing")
                     ->type_name("DIR")
                     ->group("Output");
  auto* tar =
      app.add_option("--tar", s.tar, "Write everything into one tar instead; - is standard output")
          ->type_name("FILE")
          ->group("Output");
  output->excludes(tar);
  app.add_option("--side", s.side, "Whose bytes to write")
      ->check(CLI::IsMember({"client", "server", "both"}))
      ->capture_default_str()
      ->group("Output");
  app.add_option("--name", s.name, "Names of the files")
      ->type_name("TEMPLATE")
      ->capture_default_str()
      ->group("Output");
  app.add_flag("--fill-gaps", s.fill_gaps,
               "Put zeros where bytes are missing, so that offsets are those of the stream")
      ->group("Output");
  add_duration(app, "--status-interval", s.status_interval,
               "A line on the state of things each time (SIGUSR1: at once)")
      ->group("Output");
  app.add_flag("-q,--quiet", s.quiet, "No progress and no summary")->group("Output");
  app.add_flag("--json", s.json, "The summary as one line of JSON on standard output")
      ->group("Output");
}

} // namespace

void add_dump(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("dump", "Write every TCP session to files");
  const auto settings = std::make_shared<dump_settings>();
  add_source_options(*command, *settings);
  add_output_options(*command, *settings);
  add_session_options(*command, *settings);
  command->footer(examples);
  command->callback([settings, &status] {
    if (settings->output.empty() && settings->tar.empty())
      throw CLI::RequiredError{"-o DIR or --tar FILE"};
    if (settings->memory < least_memory)
      throw CLI::ValidationError{"--memory", "less than 16M is not enough for anything"};
    status = dump_run{*settings}();
  });
}

} // namespace weir::app
