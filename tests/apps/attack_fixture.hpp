/// Runs the command on hostile captures. Each mixes an attack with sessions whose bytes are known,
/// and the command gets a memory limit that the kernel enforces: those sessions have to come out
/// whole, and what was refused or given up has to be counted.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <weir/tests/apps/attacks.hpp>
#include <weir/tests/apps/command.hpp>
#include <weir/tests/support/temp_dir.hpp>

namespace weir::test {

inline constexpr std::size_t mib = 1 << 20;

/// Sanitizers take memory of their own, and time.
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

constexpr std::size_t many(std::size_t n) { return sanitized ? n / 10 : n; }

inline constexpr host server{0x0a020001, 80};

/// What the whole process may take: twice the budget, because bookkeeping and the allocator come on
/// top of what is counted, and the program itself.
constexpr std::size_t allowed_memory(std::size_t budget) { return 2 * budget + 24 * mib; }

/// The kernel counts all of a thread's stack, though little of it is ever touched.
inline std::size_t thread_stacks() {
  return (2 * std::size_t{std::thread::hardware_concurrency()} + 10) * 8 * mib;
}

class attack_fixture : public ::testing::Test {
protected:
  /// Honest sessions before `strike` is called, between the calls, and after them.
  void mix(std::size_t strikes, const std::function<void(std::size_t)>& strike) {
    honest.whole(20);
    honest.open(20);
    const auto step = std::max<std::size_t>(strikes / 50, 1);
    for (std::size_t i = 0; i < strikes; ++i) {
      strike(i);
      if (i % step == step - 1) honest.proceed();
    }
    honest.close();
    honest.whole(20);
  }

  /// With `--memory` and the kernel's limit that follows from it.
  void run(std::size_t budget, std::vector<std::string> options = {}) {
    traffic.close();
    const auto memory = std::to_string(budget / mib) + "M";
    std::vector<std::string> words{"dump", "-r",     folder / "in.pcap", "-o",
                                   out,    "--json", "--memory",         memory};
    words.insert(words.end(), options.begin(), options.end());
    command_options limits{.patience = std::chrono::seconds{sanitized ? 240 : 60}};
    if (!sanitized) limits.memory = allowed_memory(budget) + thread_stacks();
    const auto result = weir(words, limits);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(honest.complaints(out), "");
    RecordProperty("peak_mib", static_cast<int>(result.peak_memory / mib));
    if (!sanitized) {
      EXPECT_LE(result.peak_memory / mib, allowed_memory(budget) / mib);
    }
    summary = nlohmann::json::parse(result.out);
    index = sum_index(out);
    expect_all_counted();
  }

  /// Every packet is of one kind, and every session has its line.
  void expect_all_counted() {
    const auto& p = summary["packets"];
    std::uint64_t kinds = 0;
    for (const auto* kind :
         {"filtered", "tcp", "not_tcp", "fragments", "malformed", "unknown_link", "bad_checksum"})
      kinds += p[kind].get<std::uint64_t>();
    EXPECT_EQ(p["captured"], kinds);
    EXPECT_GE(kinds, traffic.packets());
    EXPECT_EQ(summary["sessions"]["total"], index.lines);
    for (const auto& [state, count] : summary["sessions"]["by_state"].items())
      EXPECT_EQ(count, index.by_state[state]) << state;
  }

  /// Of TCP segments that begin no handshake without an end.
  void expect_segments_counted() {
    const auto& s = summary["segments"];
    EXPECT_EQ(summary["packets"]["tcp"],
              index.packets + s["stray"].get<std::uint64_t>() + s["late"].get<std::uint64_t>());
  }

  std::uint64_t sessions(const char* state) {
    return summary["sessions"]["by_state"][state].get<std::uint64_t>();
  }

  host stranger() {
    return {numbers.next32() | 0x80000000, static_cast<std::uint16_t>(1024 + numbers.below(60000))};
  }

  void syn(host from) {
    traffic.add_tcp(from, server, {.flags = tcp_flag::syn, .sequence = numbers.next32()});
  }

  /// Three packets.
  void handshake(host from, std::uint32_t first = 1000) {
    traffic.add_tcp(from, server, {.flags = tcp_flag::syn, .sequence = first - 1});
    traffic.add_tcp(
        server, from,
        {.flags = tcp_flag::syn | tcp_flag::ack, .sequence = 4999, .acknowledgment = first});
    traffic.add_tcp(from, server,
                    {.flags = tcp_flag::ack, .sequence = first, .acknowledgment = 5000});
  }

  void data(host from, std::uint32_t sequence, bytes_view payload) {
    traffic.add_tcp(from, server,
                    {.flags = tcp_flag::ack, .sequence = sequence, .acknowledgment = 5000},
                    payload);
  }

  temp_dir folder;
  std::string out = folder / "out";
  capture_writer traffic{folder / "in.pcap"};
  honest_sessions honest{traffic};
  number_stream numbers{7};
  nlohmann::json summary;
  index_figures index;
};

inline constexpr std::size_t usual_budget = 192 * mib;
inline constexpr std::size_t small_budget = 64 * mib;

inline const std::vector<std::byte> full_segment(1448, std::byte{'x'});

} // namespace weir::test
