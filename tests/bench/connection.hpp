/// A made-up TCP connection, planned message by message and written packet by packet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <weir/net/address.hpp>
#include <weir/net/bytes.hpp>
#include <weir/net/flow.hpp>
#include <weir/net/time.hpp>
#include <weir/tests/bench/pcap_writer.hpp>
#include <weir/tests/bench/random.hpp>
#include <weir/tests/bench/truth.hpp>

namespace weir::bench {

/// How a path behaves.
struct path {
  duration round_trip{};
  /// Between packets that are sent one after another.
  duration spacing{};
  /// Segments sent before the sender waits a round trip for room in its window.
  std::size_t window = 32;
  /// Probability that a segment overtakes the one before it or is sent twice.
  double disorder = 0;
};

/// The plan says who sends what and how long after the packet before; acknowledgments and
/// timestamps are filled in when a packet is written, from what the other end has seen by then.
class connection {
public:
  /// Full segments carry this many bytes: 1500 less IP, TCP and the timestamps option.
  static constexpr std::size_t mss = 1448;

  enum class last_ack : std::uint8_t { sent, left_to_reply };

  /// `now` decides the initial sequence numbers, `seed` everything else that is left to chance.
  connection(endpoint client, endpoint server, path path, timestamp now, std::uint64_t seed);

  const endpoint& client() const noexcept { return client_; }
  const endpoint& server() const noexcept { return server_; }

  /// The three-way handshake.
  void open();

  /// A message `after` the packet before it, with an acknowledgment for each second segment and, if
  /// asked for, for a single last one.
  void send(side from, bytes_view message, duration after, last_ack ack = last_ack::sent);

  /// FIN both ways, three packets.
  void close(side first, duration after);

  void reset(side from, duration after);

  /// Whether packets are planned that have not been written.
  bool pending() const noexcept { return next_ < plan_.size(); }

  /// From the packet before to the next one; only if pending().
  duration next_delay() const noexcept { return plan_[next_].delay; }

  /// Writes the next packet; only if pending().
  void write_next(pcap_writer& out, timestamp time);

  /// Appends a truth line for each stream with data.
  void write_truth(std::string& out) const;

private:
  struct planned {
    duration delay;
    side from;
    std::uint8_t flags;
    std::uint32_t sequence;
    /// Payload, in buffer_.
    std::uint32_t offset;
    std::uint32_t length;
  };

  struct peer {
    /// Of the next byte that is planned.
    std::uint32_t sequence;
    std::uint32_t timestamp_base;
    std::uint16_t identification;
    /// Of the next byte expected from the other end.
    std::uint32_t expected = 0;
    /// What the other end sent beyond that: [begin, end).
    std::vector<std::pair<std::uint32_t, std::uint32_t>> held;
    std::uint32_t timestamp_seen = 0;
    stream_digest sent;

    void receive(std::uint32_t begin, std::uint32_t end);
  };

  peer& at(side s) noexcept { return peers_[index(s)]; }
  const endpoint& address(side s) const noexcept { return s == side::client ? client_ : server_; }
  void plan(side from, std::uint8_t flags, duration delay, std::uint32_t offset = 0,
            std::uint32_t length = 0);
  void disturb(std::size_t first);
  std::size_t next_data(std::size_t after, side from) const noexcept;

  endpoint client_;
  endpoint server_;
  path path_;
  random random_;
  std::array<peer, 2> peers_;
  std::vector<planned> plan_;
  std::size_t next_ = 0;
  /// Payload of what is planned.
  std::vector<std::byte> buffer_;
};

} // namespace weir::bench
