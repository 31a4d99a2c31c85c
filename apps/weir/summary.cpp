#include <weir/apps/weir/summary.hpp>

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <weir/apps/weir/units.hpp>
#include <weir/net/output/text.hpp>

namespace weir::app {

namespace {

constexpr session_state states[] = {session_state::closed,  session_state::reset,
                                    session_state::timeout, session_state::evicted,
                                    session_state::failed,  session_state::open};

struct named_count {
  const char* name;
  std::uint64_t count;
};

/// `12 late, 3 ignored`: those that are not zero.
std::string list(const std::vector<named_count>& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) {
    if (count > 0) parts.push_back(fmt::format("{} {}", grouped(count), name));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void add_line(std::string& text, const char* subject, const std::string& rest) {
  if (!rest.empty()) text += fmt::format("{:<10}{}\n", subject, rest);
}

std::string sessions_line(const pipeline_report& r) {
  std::vector<named_count> counts;
  for (const auto state : states)
    counts.push_back({to_string(state).data(), r.stored.by_state[static_cast<std::size_t>(state)]});
  counts.push_back({"midstream", r.stored.midstream});
  auto line = grouped(r.stored.sessions);
  if (const auto detail = list(counts); !detail.empty()) line += fmt::format(" ({})", detail);
  return line;
}

std::string streams_line(const pipeline_report& r) {
  auto line = fmt::format("{} files, {} payload", grouped(r.stored.files),
                          human_bytes(static_cast<double>(r.stored.bytes)));
  if (r.stored.gaps > 0)
    line += fmt::format(", {} bytes missing in {} gaps", grouped(r.stored.bytes_missing),
                        grouped(r.stored.gaps));
  const auto rest = list({{"bytes seen again with other values", r.stored.bytes_conflicting},
                          {"bytes skipped", r.stored.bytes_skipped},
                          {"files not whole", r.stored.files_failed},
                          {"index lines lost", r.stored.index_lines_lost}});
  return rest.empty() ? line : line + ", " + rest;
}

std::string others_line(const decoder_counters& d) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : d.other_protocols)
    parts.push_back(fmt::format("{} {}", grouped(count), name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::uint64_t restarts_of(const pipeline_report& r, actor_kind kind) {
  return r.restarts[static_cast<std::size_t>(kind)];
}

std::string outage_line(const outage& o) {
  std::string line = "from ";
  append_time(o.begin, line);
  line += " to ";
  append_time(o.end, line);
  return line;
}

nlohmann::ordered_json outages_json(const std::vector<outage>& outages) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& o : outages) {
    std::string begin;
    std::string end;
    append_time(o.begin, begin);
    append_time(o.end, end);
    list.push_back({{"begin", begin}, {"end", end}});
  }
  return list;
}

} // namespace

std::string summary_text(const pipeline_report& r, double seconds) {
  const auto bytes = static_cast<double>(r.capture.bytes);
  std::string text;
  add_line(text, "packets",
           fmt::format("{}, {} in {:.2f} s ({}/s)", grouped(r.capture.packets), human_bytes(bytes),
                       seconds, human_bytes(seconds > 0 ? bytes / seconds : 0)));
  add_line(text, "sessions", sessions_line(r));
  add_line(text, "streams", streams_line(r));
  add_line(text, "not TCP", others_line(r.capture.decoded));
  const auto& d = r.capture.decoded;
  const auto& f = r.flows;
  add_line(text, "packets",
           list({{"left out by the filter", r.capture.filtered},
                 {"malformed", d.malformed},
                 {"of unknown link types", d.unknown_link},
                 {"with bad checksums", d.bad_checksum},
                 {"fragments", d.fragments},
                 {"overlapping fragments", d.fragments_overlapping}}));
  add_line(text, "datagrams",
           list({{"put together", d.datagrams_reassembled}, {"incomplete", d.datagrams_given_up}}));
  add_line(text, "segments",
           list({{"of no session", f.stray},
                 {"after the end of theirs", f.late},
                 {"not acceptable", f.ignored},
                 {"without a handshake left out", f.midstream_ignored}}));
  add_line(text, "handshakes",
           list({{"refused", f.refused},
                 {"not answered", f.half_open_timeout},
                 {"evicted", f.half_open_evicted},
                 {"not finished", f.half_open_unfinished}}));
  add_line(text, "restarts",
           list({{"of captures", restarts_of(r, actor_kind::capture)},
                 {"of dispatchers", restarts_of(r, actor_kind::dispatcher)},
                 {"of writers", restarts_of(r, actor_kind::writer)}}));
  add_line(text, "lost",
           list({{"sessions with their dispatcher", r.sessions_abandoned},
                 {"segments with their dispatcher", r.segments_lost},
                 {"sessions without a trace", r.sessions_untold}}));
  for (const auto& o : r.capture.outages)
    add_line(text, "outage", outage_line(o));
  return text;
}

std::string summary_json(const pipeline_report& r, double seconds) {
  const auto& d = r.capture.decoded;
  const auto& f = r.flows;
  nlohmann::ordered_json by_state;
  for (const auto state : states)
    by_state[std::string{to_string(state)}] = r.stored.by_state[static_cast<std::size_t>(state)];
  const nlohmann::ordered_json json = {
      {"seconds", seconds},
      {"packets",
       {{"captured", r.capture.packets},
        {"bytes", r.capture.bytes},
        {"filtered", r.capture.filtered},
        {"tcp", d.tcp},
        {"not_tcp", d.not_tcp},
        {"fragments", d.fragments},
        {"malformed", d.malformed},
        {"unknown_link", d.unknown_link},
        {"bad_checksum", d.bad_checksum}}},
      {"other_protocols", d.other_protocols},
      {"datagrams",
       {{"reassembled", d.datagrams_reassembled},
        {"given_up", d.datagrams_given_up},
        {"fragments_overlapping", d.fragments_overlapping}}},
      {"sessions",
       {{"total", r.stored.sessions}, {"by_state", by_state}, {"midstream", r.stored.midstream}}},
      {"streams",
       {{"files", r.stored.files},
        {"bytes", r.stored.bytes},
        {"missing", r.stored.bytes_missing},
        {"gaps", r.stored.gaps},
        {"conflicting", r.stored.bytes_conflicting},
        {"skipped", r.stored.bytes_skipped},
        {"files_failed", r.stored.files_failed},
        {"index_lines_lost", r.stored.index_lines_lost}}},
      {"segments",
       {{"stray", f.stray},
        {"late", f.late},
        {"late_bytes", f.late_bytes},
        {"ignored", f.ignored},
        {"midstream_ignored", f.midstream_ignored},
        {"syn_payload_dropped", f.syn_payload_dropped}}},
      {"handshakes",
       {{"refused", f.refused},
        {"timeout", f.half_open_timeout},
        {"evicted", f.half_open_evicted},
        {"unfinished", f.half_open_unfinished}}},
      {"restarts",
       {{"captures", restarts_of(r, actor_kind::capture)},
        {"dispatchers", restarts_of(r, actor_kind::dispatcher)},
        {"writers", restarts_of(r, actor_kind::writer)}}},
      {"lost",
       {{"sessions_abandoned", r.sessions_abandoned},
        {"segments", r.segments_lost},
        {"sessions_untold", r.sessions_untold}}},
      {"outages", outages_json(r.capture.outages)},
      {"gave_up", r.gave_up},
  };
  return json.dump();
}

} // namespace weir::app
