/// Hostile traffic for tests, mixed with sessions whose bytes are known. Written to a file as it is
/// made: the process that starts the command has to stay small.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <weir/net/bytes.hpp>
#include <weir/net/flow.hpp>
#include <weir/net/link_type.hpp>
#include <weir/net/segment.hpp>
#include <weir/net/time.hpp>

namespace weir::test {

/// An end of a flow, IPv4.
struct host {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
};

/// What a TCP header says. Checksums are left out, as where a network card computes them.
struct tcp_header {
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  std::uint16_t window = 65535;
};

/// Numbers that are the same on every run (SplitMix64).
class number_stream {
public:
  explicit number_stream(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t next();
  std::uint32_t next32() { return static_cast<std::uint32_t>(next() >> 32); }
  /// From zero to `limit` - 1.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }

private:
  std::uint64_t state_;
};

/// A pcap file of Ethernet frames with nanoseconds; a microsecond passes with each packet.
class capture_writer {
public:
  explicit capture_writer(const std::filesystem::path& path);

  /// A whole frame.
  void add(bytes_view frame);
  /// An Ethernet frame of an IP datagram that follows its ethertype.
  void add_datagram(std::uint16_t ethertype, bytes_view datagram);
  void add_ipv4(host from, host to, std::uint8_t protocol, std::uint16_t id,
                std::uint16_t fragment_field, bytes_view payload);
  void add_tcp(host from, host to, const tcp_header& header, bytes_view payload = {});

  void wait(duration d) { now_ += d; }
  timestamp now() const { return now_; }
  void set_time(timestamp t) { now_ = t; }
  std::uint64_t packets() const { return packets_; }
  /// Nothing more comes; throws where something could not be written.
  void close();

private:
  std::ofstream file_;
  timestamp now_;
  std::uint64_t packets_ = 0;
};

/// Sessions between 10.0.0.1 and 10.1.0.1:443, complete and in order, whose bytes are known.
class honest_sessions {
public:
  explicit honest_sessions(capture_writer& out) : out_(&out) {}

  /// The handshakes of `count` more.
  void open(std::size_t count);
  /// Those that are open exchange a request and a response.
  void proceed();
  /// Those that are open close.
  void close();
  /// `count` whole ones, one after the other.
  void whole(std::size_t count);

  /// The ends of one that is open, and the next sequence number of each side, by `index(side)`.
  struct ends {
    std::array<host, 2> hosts;
    std::array<std::uint32_t, 2> next;
  };
  std::vector<ends> opened() const;

  /// The packets of the open ones carry each payload as two IPv4 fragments from now on.
  void fragment() { fragmented_ = true; }

  /// What is wrong with them in a folder that `weir dump` wrote; empty where each has one line that
  /// says `closed` and nothing missing, and files with its bytes.
  std::string complaints(const std::filesystem::path& folder) const;

private:
  struct conversation {
    std::array<host, 2> hosts;
    std::array<std::uint32_t, 2> next;
    std::array<std::string, 2> sent;
    bool open = true;
  };

  void send(conversation& c, side from, std::uint8_t flags, bytes_view payload = {});
  void open_one();
  void exchange(conversation& c);
  void close(conversation& c);

  capture_writer* out_;
  number_stream numbers_;
  std::vector<conversation> all_;
  bool fragmented_ = false;
  std::uint16_t ip_id_ = 1;
};

/// Sums over all lines of an index, read without taking much memory.
struct index_figures {
  std::uint64_t lines = 0;
  /// Of both sides.
  std::uint64_t packets = 0;
  std::map<std::string, std::uint64_t> by_state;
};

index_figures sum_index(const std::filesystem::path& folder);

} // namespace weir::test
