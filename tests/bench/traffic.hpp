/// The kinds of traffic that captures are made of.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <weir/net/time.hpp>
#include <weir/tests/bench/connection.hpp>
#include <weir/tests/bench/pcap_writer.hpp>

namespace weir::bench {

/// When every capture begins: 2026-01-31 09:00:00 UTC.
inline constexpr timestamp capture_start{std::chrono::seconds{1769850000}};

struct capture {
  pcap_writer packets;
  /// Lines of truth.hpp.
  std::string truth;
};

/// One client's dealings with a server.
class scenario {
public:
  explicit scenario(connection c) : link(std::move(c)) {}
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;
  virtual ~scenario() = default;

  /// Plans what comes next on `link`. False: nothing, it is over.
  virtual bool advance(timestamp now) = 0;

  connection link;
};

/// One that begins now. Null: there are no more.
using next_scenario = std::function<std::unique_ptr<scenario>(timestamp now)>;

/// Writes scenarios side by side, `at_a_time` of them as long as there are so many, each packet at
/// its own time.
void run_side_by_side(std::size_t at_a_time, const next_scenario& next, capture& out);

/// Many HTTP/1.1 connections with bodies of all sizes: 31,800 of them, about 1.07 GB.
void make_web(double scale, capture& out);

/// 200,000 sessions of 13 packets and about 1 KB, 10,000 open at a time, in turn: about 400 MB.
void make_small(double scale, capture& out);

/// Eight long downloads at the same time, 1 GB in all.
void make_bulk(double scale, capture& out);

/// An IPv4 end.
inline endpoint ipv4_end(std::uint32_t address, std::uint16_t port) {
  endpoint e;
  for (int i = 0; i < 4; ++i)
    e.address.bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(address >> (24 - 8 * i) & 255);
  e.port = port;
  return e;
}

} // namespace weir::bench
