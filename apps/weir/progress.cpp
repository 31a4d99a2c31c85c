#include <weir/apps/weir/progress.hpp>

#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include <weir/apps/weir/units.hpp>

namespace weir::app {

progress_line::progress_line(bool wanted) : enabled_(wanted && isatty(STDERR_FILENO) == 1) {}

void progress_line::show(const pipeline_gauges& gauges) {
  if (!enabled_) return;
  const auto seconds = std::chrono::duration<double>(clock::now() - started_).count();
  const auto done = static_cast<double>(gauges.bytes_done.load(std::memory_order_relaxed));
  const auto total = static_cast<double>(gauges.bytes_total.load(std::memory_order_relaxed));
  const auto rate = seconds > 0 ? done / seconds : 0;
  auto line = human_bytes(done);
  if (total > 0) line += fmt::format(" of {} ({:.0f} %)", human_bytes(total), 100 * done / total);
  line +=
      fmt::format(", {} packets, {} sessions ({} open), {}/s",
                  grouped(gauges.packets.load(std::memory_order_relaxed)),
                  grouped(gauges.sessions.load(std::memory_order_relaxed)),
                  grouped(gauges.sessions_open.load(std::memory_order_relaxed)), human_bytes(rate));
  if (total > done && rate > 0) line += fmt::format(", {:.0f} s left", (total - done) / rate);
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  shown_ = true;
}

void progress_line::clear() {
  if (!shown_) return;
  fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

} // namespace weir::app
