#include <weir/apps/weir/status_line.hpp>

#include <numeric>
#include <string_view>

#include <fmt/format.h>

#include <weir/apps/weir/units.hpp>

namespace weir::app {

namespace {

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(count), count == 1 ? one : many);
}

} // namespace

std::string status_text(const pipeline_status& s) {
  const auto of = [&](actor_kind k) { return s.actors[static_cast<std::size_t>(k)]; };
  const auto restarts = std::accumulate(s.restarts.begin(), s.restarts.end(), std::uint64_t{0});
  return fmt::format(
      "status: {}, {}, {}, {} sessions; {} packets; {} sessions open; memory {} of {}; "
      "{} of {} blocks in use; {} for the writers; {}",
      counted(of(actor_kind::capture), "capture", "captures"),
      counted(of(actor_kind::dispatcher), "dispatcher", "dispatchers"),
      counted(of(actor_kind::writer), "writer", "writers"), grouped(s.session_actors),
      grouped(s.gauges.packets), grouped(s.gauges.sessions_open),
      human_bytes(static_cast<double>(s.memory_used)),
      human_bytes(static_cast<double>(s.memory_limit)), s.blocks_in_use, s.max_blocks,
      human_bytes(static_cast<double>(s.gauges.backlog)), counted(restarts, "restart", "restarts"));
}

bool status_timer::due() {
  if (interval_.count() == 0 || clock::now() - last_ < interval_) return false;
  last_ = clock::now();
  return true;
}

} // namespace weir::app
