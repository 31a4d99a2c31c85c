#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <tuple>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/mount.h>
#include <zlib.h>

#include <weir/tests/apps/command.hpp>
#include <weir/tests/support/captures.hpp>
#include <weir/tests/support/frames.hpp>
#include <weir/tests/support/temp_dir.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::exchange;
using test::frames;
using test::read_file;
using test::read_index;
using test::tcp_frame;
using test::weir;
using ::testing::Test;

/// The first frame is of 2026-01-31T23:59:59.000456Z.
test::byte_vector capture_of(const frames& all, duration later = 0s) {
  return test::pcap_of(all, timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31}} + 23h
                                + 59min + 59s + 456us + later);
}

class dump : public Test {
protected:
  std::string capture(const frames& all, const std::string& name = "in.pcap", duration later = 0s) {
    test::write_file(folder / name, capture_of(all, later));
    return folder / name;
  }
  test::outcome run(std::vector<std::string> arguments, const test::command_options& options = {}) {
    arguments.insert(arguments.begin(), "dump");
    return weir(arguments, options);
  }

  test::temp_dir folder;
  std::string out = folder / "out";
};

TEST_F(dump, writes_both_streams_and_an_index_line) {
  const auto result = run({"-r", capture(exchange(49152, "request", "the response")), "-o", out});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "");
  const auto index = read_index(out);
  ASSERT_EQ(index.size(), 1u);
  auto line = index[0];
  EXPECT_EQ(line["id"].get<std::string>().size(), 16u);
  line.erase("id");
  const std::string stem = "20260131T235959.000456-192.0.2.1.49152-198.51.100.7.80.";
  EXPECT_EQ(line, nlohmann::json::parse(R"({
    "community_id": "1:052Sqnl5IvKmXLLUSlY/KOzgtfc=", "proto": "tcp", "state": "closed",
    "midstream": false,
    "start": "2026-01-31T23:59:59.000456Z", "end": "2026-01-31T23:59:59.007456Z",
    "client": {"address": "192.0.2.1", "port": 49152, "packets": 5, "bytes": 7, "missing": 0,
               "file": ")" + stem + R"(client"},
    "server": {"address": "198.51.100.7", "port": 80, "packets": 3, "bytes": 12, "missing": 0,
               "file": ")" + stem + R"(server"}})"));
  EXPECT_EQ(read_file(folder / "out" / (stem + "client")), "request");
  EXPECT_EQ(read_file(folder / "out" / (stem + "server")), "the response");
}

TEST_F(dump, says_on_standard_error_what_it_did) {
  auto all = exchange(49152, "request", "response");
  all.push_back(test::ethernet(test::ipv4({}, test::udp({}, "dns"))));
  const auto result = run({"-r", capture(all), "-o", out});
  EXPECT_NE(result.err.find("sessions  1 (1 closed)"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("2 files, 15 B payload"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("1 udp"), std::string::npos) << result.err;
}

TEST_F(dump, gives_the_summary_as_json) {
  const auto result =
      run({"-r", capture(exchange(49152, "request", "response")), "-o", out, "--json"});
  const auto summary = nlohmann::json::parse(result.out);
  EXPECT_EQ(summary["packets"]["captured"], 8);
  EXPECT_EQ(summary["sessions"]["by_state"]["closed"], 1);
  EXPECT_EQ(summary["streams"]["bytes"], 15);
}

TEST_F(dump, is_silent_when_asked_to) {
  const auto result =
      run({"-r", capture(exchange(49152, "request", "response")), "-o", out, "--quiet"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(dump, does_not_mix_its_output_with_an_earlier_one) {
  const auto in = capture(exchange(49152, "request", "response"));
  ASSERT_EQ(run({"-r", in, "-o", out}).status, 0);
  const auto before = read_file(folder / "out" / "sessions.jsonl");
  const auto again = run({"-r", in, "-o", out});
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("choose another folder"), std::string::npos) << again.err;
  EXPECT_EQ(read_file(folder / "out" / "sessions.jsonl"), before);
}

TEST_F(dump, saves_all_that_came_before_a_cut) {
  auto bytes = capture_of(exchange(49152, "request", "response"));
  bytes.resize(bytes.size() - 10);
  test::write_file(folder / "cut.pcap", bytes);
  const auto result = run({"-r", folder / "cut.pcap", "-o", out, "-q"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("cut.pcap: ends within"), std::string::npos) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  const auto index = read_index(out);
  ASSERT_EQ(index.size(), 1u);
  EXPECT_EQ(index[0]["client"]["bytes"], 7);
  EXPECT_EQ(index[0]["server"]["bytes"], 8);
}

TEST_F(dump, goes_on_with_the_next_file_after_a_damaged_one) {
  auto bytes = capture_of(exchange(40001, "one", "uno"));
  bytes.resize(bytes.size() - 10);
  test::write_file(folder / "cut.pcap", bytes);
  const auto whole = capture(exchange(40002, "two", "dos"), "whole.pcap", 10s);
  const auto result = run({"-r", folder / "cut.pcap", whole, "-o", out, "-q"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(read_index(out).size(), 2u);
}

TEST_F(dump, finds_nothing_in_an_empty_capture_and_that_is_all_right) {
  test::write_file(folder / "empty.pcap", {});
  const auto result = run({"-r", folder / "empty.pcap", "-o", out});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(read_index(out).size(), 0u);
}

TEST_F(dump, tells_wrong_usage_from_failure) {
  const auto in = capture(exchange(49152, "request", "response"));
  const struct {
    std::vector<std::string> arguments;
    int status;
    const char* text;
  } cases[] = {
      {{"-r", in}, 2, "-o DIR or --tar FILE is required"},
      {{"-o", out}, 2, "--read is required"},
      {{"-r", in, "-o", out, "--sides"}, 2, "--sides"},
      {{"-r", in, "-o", out, "--side", "left"}, 2, "left"},
      {{"-r", in, "-o", out, "-f", "prot tcp"}, 2, "prot tcp"},
      {{"-r", in, "-o", out, "--name", "{nam}"}, 2, "{nam}"},
      {{"-r", in, "-o", out, "--name", "../{id}"}, 2, ".."},
      {{"-r", in, "-o", out, "--idle-timeout", "5x"}, 2, "90s, 5m or 2h"},
      {{"-r", in, "-o", out, "--max-session-bytes", "lots"}, 2, "64k"},
      {{"-r", in, "-o", out, "--memory", "15M"}, 2, "less than 16M"},
      {{"-r", in, "-o", out, "--tar", out + ".tar"}, 2, "--tar"},
      {{"-r", folder / "missing.pcap", "-o", out}, 1, "missing.pcap: No such file"},
      {{"-r", "/proc/self/exe", "-o", out}, 1, "not a pcap or pcapng capture"},
      {{"-r", in, "-o", in + "/x"}, 1, "not a directory"},
  };
  for (const auto& c : cases) {
    const auto result = run(c.arguments);
    EXPECT_EQ(result.status, c.status) << result.err;
    EXPECT_NE(result.err.find(c.text), std::string::npos) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_FALSE(std::filesystem::exists(out)) << c.text;
  }
}

TEST_F(dump, reads_several_files_as_one_capture_in_the_order_of_their_packets) {
  auto all = exchange(49152, "request", "response");
  const frames head{all.begin(), all.begin() + 4}, tail{all.begin() + 4, all.end()};
  const auto second = capture(tail, "a.pcap", 1s);
  const auto first = capture(head, "b.pcap");
  ASSERT_EQ(run({"-r", second, first, "-o", out}).status, 0);
  const auto index = read_index(out);
  ASSERT_EQ(index.size(), 1u);
  EXPECT_EQ(index[0]["state"], "closed");
  EXPECT_EQ(index[0]["server"]["bytes"], 8);
}

TEST_F(dump, reads_standard_input_and_gzip) {
  const auto bytes = capture_of(exchange(49152, "request", "response"));
  const auto packed = (folder / "in.pcap.gz").string();
  const auto file = gzopen(packed.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  ASSERT_EQ(run({"-r", "-", "-o", out + "1"}, {.input = bytes}).status, 0);
  ASSERT_EQ(run({"-r", packed, "-o", out + "2"}).status, 0);
  EXPECT_EQ(read_index(out + "1"), read_index(out + "2"));
}

TEST_F(dump, writes_one_side_alone) {
  const auto in = capture(exchange(49152, "request", "response"));
  ASSERT_EQ(run({"-r", in, "-o", out, "--side", "server"}).status, 0);
  const auto line = read_index(out).at(0);
  EXPECT_FALSE(line["client"].contains("file"));
  EXPECT_EQ(line["client"]["bytes"], 7);
  EXPECT_EQ(read_file(folder / "out" / line["server"]["file"].get<std::string>()), "response");
}

TEST_F(dump, names_files_as_it_is_told) {
  const auto in = capture(exchange(49152, "request", "response"));
  ASSERT_EQ(
      run({"-r", in, "-o", out, "--name", "{server}/{start:%Y-%m}/{client_port}.{side}"}).status,
      0);
  EXPECT_EQ(read_file(folder / "out/198.51.100.7/2026-01/49152.client"), "request");
}

TEST_F(dump, filters_and_counts_packets) {
  auto all = exchange(40001, "one", "uno");
  test::append(all, exchange(40002, "two", "dos"));
  const auto in = capture(all);
  ASSERT_EQ(run({"-r", in, "-o", out + "1", "-f", "port 40002"}).status, 0);
  const auto filtered = read_index(out + "1");
  ASSERT_EQ(filtered.size(), 1u);
  EXPECT_EQ(filtered[0]["client"]["port"], 40002);
  ASSERT_EQ(run({"-r", in, "-o", out + "2", "-c", "5"}).status, 0);
  const auto counted = read_index(out + "2");
  ASSERT_EQ(counted.size(), 1u);
  EXPECT_EQ(counted[0]["state"], "open");
  EXPECT_EQ(counted[0]["server"]["packets"], 2);
}

TEST_F(dump, shows_gaps_and_fills_them_if_asked) {
  auto all = test::handshake(49152);
  all.push_back(tcp_frame(49152, true, tcp_flag::ack, 100, 500, "abc"));
  all.push_back(tcp_frame(49152, true, tcp_flag::ack, 108, 500, "xyz"));
  all.push_back(tcp_frame(49152, false, tcp_flag::ack, 500, 111));
  const auto in = capture(all);
  ASSERT_EQ(run({"-r", in, "-o", out + "1"}).status, 0);
  ASSERT_EQ(run({"-r", in, "-o", out + "2", "--fill-gaps"}).status, 0);
  const auto line = read_index(out + "1").at(0);
  EXPECT_EQ(line["client"]["missing"], 5);
  EXPECT_EQ(line["client"]["gaps"], nlohmann::json::parse(R"([{"offset":3,"length":5}])"));
  const auto name = line["client"]["file"].get<std::string>();
  EXPECT_EQ(read_file(std::filesystem::path{out + "1"} / name), "abcxyz");
  EXPECT_EQ(read_file(std::filesystem::path{out + "2"} / name),
            std::string("abc\0\0\0\0\0xyz", 11));
}

TEST_F(dump, leaves_out_sessions_without_a_handshake_if_asked) {
  frames all{tcp_frame(40001, true, tcp_flag::ack, 100, 500, "midstream")};
  test::append(all, exchange(40002, "two", "dos"));
  const auto in = capture(all);
  ASSERT_EQ(run({"-r", in, "-o", out + "1"}).status, 0);
  const auto both = read_index(out + "1");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0]["midstream"], true);
  ASSERT_EQ(run({"-r", in, "-o", out + "2", "--no-midstream"}).status, 0);
  EXPECT_EQ(read_index(out + "2").size(), 1u);
}

TEST_F(dump, takes_the_copy_that_the_policy_says) {
  auto all = test::handshake(49152);
  all.push_back(tcp_frame(49152, true, tcp_flag::ack, 103, 500, "first"));
  all.push_back(tcp_frame(49152, true, tcp_flag::ack, 103, 500, "later"));
  all.push_back(tcp_frame(49152, true, tcp_flag::ack, 100, 500, "ab "));
  const auto in = capture(all);
  for (const auto& [policy, text] :
       {std::pair{"first", "ab first"}, std::pair{"last", "ab later"}}) {
    const auto to = out + policy;
    ASSERT_EQ(run({"-r", in, "-o", to, "--overlap", policy}).status, 0);
    const auto line = read_index(to).at(0);
    EXPECT_EQ(read_file(std::filesystem::path{to} / line["client"]["file"].get<std::string>()),
              text);
    EXPECT_EQ(line["client"]["conflicting"], 5);
  }
}

TEST_F(dump, rejects_wrong_checksums_if_asked) {
  auto all = exchange(49152, "request", "response");
  all[3].back() = std::byte{'X'};
  const auto in = capture(all);
  ASSERT_EQ(run({"-r", in, "-o", out + "1"}).status, 0);
  EXPECT_EQ(read_index(out + "1").at(0)["client"]["bytes"], 7);
  const auto strict = run({"-r", in, "-o", out + "2", "--verify-checksums", "--json"});
  EXPECT_EQ(nlohmann::json::parse(strict.out)["packets"]["bad_checksum"], 1);
  EXPECT_EQ(read_index(out + "2").at(0)["client"]["missing"], 7);
}

TEST_F(dump, keeps_as_much_of_a_session_as_it_may) {
  const auto in = capture(exchange(49152, "0123456789", "abcdefghij"));
  ASSERT_EQ(run({"-r", in, "-o", out, "--max-session-bytes", "14"}).status, 0);
  const auto line = read_index(out).at(0);
  EXPECT_EQ(line["client"]["bytes"], 10);
  EXPECT_EQ(line["server"]["bytes"], 4);
  EXPECT_EQ(line["server"]["skipped"], 6);
}

TEST_F(dump, evicts_the_longest_idle_beyond_the_most_sessions) {
  // Limits hold between blocks: a capture of many blocks is needed to see them.
  frames all = test::handshake(40000);
  all.push_back(tcp_frame(40000, true, tcp_flag::ack, 100, 500, "first"));
  const std::string text(1400, 'x');
  for (std::uint16_t port = 40001; port < 40004; ++port) {
    test::append(all, test::handshake(port));
    for (std::uint32_t i = 0; i < 4000; ++i)
      all.push_back(tcp_frame(port, true, tcp_flag::ack, 100 + i * 1400, 500, text));
  }
  ASSERT_EQ(run({"-r", capture(all), "-o", out, "--max-sessions", "2"}).status, 0);
  const auto index = read_index(out);
  ASSERT_EQ(index.size(), 4u);
  EXPECT_EQ(index[0]["state"], "evicted");
  EXPECT_EQ(index[0]["client"]["bytes"], 5);
  EXPECT_EQ(index[3]["state"], "open");
}

TEST_F(dump, writes_everything_into_one_tar) {
  const auto in = capture(exchange(49152, "request", "response"));
  const auto to_file = run({"-r", in, "--tar", out + ".tar", "-q"});
  EXPECT_EQ(to_file.status, 0) << to_file.err;
  const auto to_pipe = run({"-r", in, "--tar", "-", "-q"});
  EXPECT_EQ(to_pipe.out, read_file(out + ".tar"));
  ASSERT_EQ(std::system(("mkdir " + out + " && tar xf " + out + ".tar -C " + out).c_str()), 0);
  const auto line = read_index(out).at(0);
  EXPECT_EQ(read_file(folder / "out" / line["client"]["file"].get<std::string>()), "request");
  EXPECT_EQ(read_file(folder / "out" / line["server"]["file"].get<std::string>()), "response");
  EXPECT_EQ(run({"-r", in, "--tar", out + ".tar"}).status, 1) << "never overwrites";
}

TEST_F(dump, holds_few_files_open_however_many_sessions_are_large) {
  // Little memory makes all sessions spill to disk while they are open.
  frames all;
  constexpr std::uint16_t count = 1500;
  const std::string text(1400, 'x');
  for (std::uint16_t port = 0; port < count; ++port)
    test::append(all, test::handshake(static_cast<std::uint16_t>(20000 + port)));
  constexpr std::uint32_t rounds = 40;
  for (std::uint32_t i = 0; i < rounds; ++i) {
    for (std::uint16_t port = 0; port < count; ++port)
      all.push_back(tcp_frame(static_cast<std::uint16_t>(20000 + port), true, tcp_flag::ack,
                              100 + i * 1400, 500, text));
  }
  const auto result =
      run({"-r", capture(all), "-o", out, "--memory", "64M", "-q"}, {.open_files = 256});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto index = read_index(out);
  ASSERT_EQ(index.size(), count);
  for (const auto& line : index) {
    ASSERT_EQ(line["client"]["bytes"], rounds * 1400);
    const auto file = folder / "out" / line["client"]["file"].get<std::string>();
    ASSERT_EQ(std::filesystem::file_size(file), rounds * 1400);
  }
}

/// A small file system of its own, as far as this process may mount one.
class small_disk {
public:
  explicit small_disk(std::filesystem::path at) : at_(std::move(at)) {
    std::filesystem::create_directory(at_);
    mounted_ = mount("none", at_.c_str(), "tmpfs", 0, "size=512k") == 0;
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (mounted_) umount(at_.c_str());
  }
  explicit operator bool() const { return mounted_; }

private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

TEST_F(dump, says_what_was_saved_when_the_disk_is_full) {
  const small_disk disk{folder / "disk"};
  if (!disk) GTEST_SKIP() << "skipped: only root may mount a small disk";
  const std::string text(1400, 'x');
  frames all;
  for (std::uint16_t port = 40000; port < 40020; ++port) {
    test::append(all, test::handshake(port));
    for (std::uint32_t i = 0; i < 100; ++i)
      all.push_back(tcp_frame(port, true, tcp_flag::ack, 100 + i * 1400, 500, text));
    test::append(all, test::closing(port, 100 + 100 * 1400, 500));
  }
  const auto result = run({"-r", capture(all), "-o", (folder / "disk" / "out").string(), "-q"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("no space left on device"), std::string::npos) << result.err;
  std::size_t whole = 0, cut = 0;
  for (const auto& line : read_index(folder / "disk" / "out")) {
    const auto& client = line["client"];
    if (!client.contains("error")) {
      ++whole;
      EXPECT_EQ(
          std::filesystem::file_size(folder / "disk" / "out" / client["file"].get<std::string>()),
          140000u);
    } else {
      ++cut;
      EXPECT_LT(client["saved"], 140000);
    }
  }
  EXPECT_GE(whole, 2u);
  EXPECT_GE(cut, 1u);
}

TEST_F(dump, shows_help_and_version) {
  const auto help = weir({"dump", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_NE(help.out.find("Examples:"), std::string::npos);
  const auto version = weir({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out.rfind("weir ", 0), 0u) << version.out;
  EXPECT_EQ(weir({}).status, 2);
}

std::string sha256(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    constexpr const char* digits = "0123456789abcdef";
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

/// Sender, receiver, and the bytes' hash.
using stream = std::tuple<std::string, std::string, std::string>;

/// The capture that ships with the project was recorded from nginx and curl; what its streams hold
/// was worked out with tshark, independently of weir.
TEST_F(dump, agrees_with_tshark_on_real_traffic) {
  const std::filesystem::path data{WEIR_TEST_DATA};
  ASSERT_EQ(run({"-r", data / "http.pcapng", "-o", out}).status, 0);
  std::multiset<stream> expected, written;
  for (const auto& row : nlohmann::json::parse(read_file(data / "http.expected.json")))
    expected.emplace(row["sender"], row["receiver"], row["sha256"]);
  const auto endpoint = [](const nlohmann::json& end) {
    const auto address = end["address"].get<std::string>();
    const auto port = std::to_string(end["port"].get<int>());
    return address.find(':') == std::string::npos ? address + ":" + port
                                                  : "[" + address + "]:" + port;
  };
  for (const auto& line : read_index(out)) {
    for (const auto& [from, to] : {std::pair{"client", "server"}, std::pair{"server", "client"}}) {
      if (!line[from].contains("file")) continue;
      const auto bytes = read_file(folder / "out" / line[from]["file"].get<std::string>());
      written.emplace(endpoint(line[from]), endpoint(line[to]), sha256(bytes));
    }
  }
  EXPECT_EQ(written, expected);
  EXPECT_GT(expected.size(), 10u);
}

} // namespace
} // namespace weir
