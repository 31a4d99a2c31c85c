#include <weir/net/output/index_line.hpp>

#include "session_samples.hpp"

namespace weir::test {
namespace {

using nlohmann::json;

std::string line(const session_info& info, const session_summary& summary,
                 const index_files& files = {}) {
  std::string out;
  append_index_line(info, summary, files, out);
  return out;
}

session_summary plain_summary() {
  session_summary summary;
  summary.state = session_state::closed;
  summary.end = sample_time + std::chrono::seconds{1};
  summary[side::client].packets = 7;
  summary[side::client].bytes = 412;
  summary[side::server].packets = 9;
  summary[side::server].bytes = 5120;
  return summary;
}

TEST(index_line, of_a_plain_session_says_exactly_this) {
  index_files files;
  files.streams[0].file = "a.client";
  files.streams[1].file = "a.server";
  EXPECT_EQ(line(sample_info(), plain_summary(), files),
            R"({"id":"0000000000001234","community_id":"1:052Sqnl5IvKmXLLUSlY/KOzgtfc=",)"
            R"("proto":"tcp","state":"closed","midstream":false,)"
            R"("start":"2026-01-31T23:59:59.123456Z","end":"2026-02-01T00:00:00.123456Z",)"
            R"("client":{"address":"192.0.2.1","port":49152,"packets":7,"bytes":412,"missing":0,)"
            R"("file":"a.client"},)"
            R"("server":{"address":"198.51.100.7","port":80,"packets":9,"bytes":5120,"missing":0,)"
            R"("file":"a.server"}})"
            "\n");
}

TEST(index_line, omits_the_file_of_an_empty_stream) {
  index_files files;
  files.streams[0].file = "a.client";
  const auto j = json::parse(line(sample_info(), plain_summary(), files));
  EXPECT_EQ(j["client"]["file"], "a.client");
  EXPECT_FALSE(j["server"].contains("file"));
}

TEST(index_line, names_every_state) {
  for (const auto state : {session_state::closed, session_state::reset, session_state::timeout,
                           session_state::evicted, session_state::failed, session_state::open}) {
    auto summary = plain_summary();
    summary.state = state;
    EXPECT_EQ(json::parse(line(sample_info(), summary))["state"], to_string(state));
  }
}

TEST(index_line, lists_gaps_and_how_many_there_were_in_all) {
  auto summary = plain_summary();
  auto& server = summary[side::server];
  server.missing = 150;
  server.gaps = {{10, 100}, {500, 50}};
  server.gap_count = 2;
  auto j = json::parse(line(sample_info(), summary));
  EXPECT_EQ(j["server"]["gaps"],
            json::parse(R"([{"offset":10,"length":100},{"offset":500,"length":50}])"));
  EXPECT_EQ(j["server"]["missing"], 150);
  EXPECT_FALSE(j["server"].contains("gap_count"));
  EXPECT_FALSE(j["client"].contains("gaps"));

  server.gap_count = 3;
  j = json::parse(line(sample_info(), summary));
  EXPECT_EQ(j["server"]["gap_count"], 3);
}

TEST(index_line, shows_every_other_figure_that_is_not_zero) {
  auto summary = plain_summary();
  auto& client = summary[side::client];
  client.skipped = 1;
  client.duplicate = 2;
  client.out_of_order = 3;
  client.conflicting = 4;
  client.out_of_window = 5;
  const auto j = json::parse(line(sample_info(), summary));
  EXPECT_EQ(j["client"]["skipped"], 1);
  EXPECT_EQ(j["client"]["duplicate"], 2);
  EXPECT_EQ(j["client"]["out_of_order"], 3);
  EXPECT_EQ(j["client"]["conflicting"], 4);
  EXPECT_EQ(j["client"]["out_of_window"], 5);
  for (const auto* name : {"skipped", "duplicate", "out_of_order", "conflicting", "out_of_window"})
    EXPECT_FALSE(j["server"].contains(name)) << name;
}

TEST(index_line, lists_the_encapsulation_outermost_first) {
  using enum encapsulation_layer::kind;
  const auto a = address("203.0.113.1");
  const auto b = address("2001:db8::2");
  auto info = sample_info();
  info.encapsulation = {{vlan, 0, {}, {}},   {mpls, 16, {}, {}}, {gre, 0, a, a},  {gre, 9, a, a},
                        {ip_in_ip, 0, a, b}, {teredo, 0, a, b},  {vxlan, 5, a, b}};
  const auto j = json::parse(line(info, plain_summary()));
  EXPECT_EQ(j["encapsulation"], json::parse(R"([
      {"type":"vlan","id":0},
      {"type":"mpls","id":16},
      {"type":"gre","source":"203.0.113.1","destination":"203.0.113.1"},
      {"type":"gre","id":9,"source":"203.0.113.1","destination":"203.0.113.1"},
      {"type":"ip","source":"203.0.113.1","destination":"2001:db8::2"},
      {"type":"teredo","source":"203.0.113.1","destination":"2001:db8::2"},
      {"type":"vxlan","id":5,"source":"203.0.113.1","destination":"2001:db8::2"}])"));
}

TEST(index_line, tells_why_a_session_failed) {
  auto summary = plain_summary();
  summary.state = session_state::failed;
  summary.failure = "it said \"no\"\n\xff";
  EXPECT_EQ(json::parse(line(sample_info(), summary))["error"], "it said \"no\"\n\ufffd");
  EXPECT_FALSE(json::parse(line(sample_info(), plain_summary())).contains("error"));
}

TEST(index_line, tells_how_much_of_a_file_was_saved_and_why_not_all) {
  index_files files;
  files.streams[1] = {"a.server", "no space left on device", 4096};
  const auto j = json::parse(line(sample_info(), plain_summary(), files));
  EXPECT_EQ(j["server"]["error"], "no space left on device");
  EXPECT_EQ(j["server"]["saved"], 4096);
  EXPECT_EQ(j["server"]["file"], "a.server");
  EXPECT_FALSE(j["client"].contains("saved"));
}

TEST(index_line, marks_sessions_that_were_first_seen_midstream) {
  auto info = sample_info();
  info.midstream = true;
  EXPECT_EQ(json::parse(line(info, plain_summary()))["midstream"], true);
}

TEST(index_line, of_ipv6_has_canonical_addresses) {
  auto info = sample_info();
  info.client.address = address("2001:db8:0:0::1");
  EXPECT_EQ(json::parse(line(info, plain_summary()))["client"]["address"], "2001:db8::1");
}

} // namespace
} // namespace weir::test
