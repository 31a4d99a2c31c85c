/// Segments of one TCP conversation for tests, without packets: each call makes the next segment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/net/segment.hpp>

namespace weir::test {

/// Sequence numbers in calls are relative to each side's initial number, as Wireshark shows them:
/// the SYN is 0, the first byte 1. Payload must outlive the segments (string literals do).
class dialogue {
public:
  explicit dialogue(std::uint16_t client_port = 40000, std::uint32_t client_initial = 1000,
                    std::uint32_t server_initial = 5000, bool client_is_a = true)
      : client_is_a_(client_is_a), initial_{client_initial, server_initial} {
    auto& client = client_is_a ? key_.address_a : key_.address_b;
    auto& server = client_is_a ? key_.address_b : key_.address_a;
    client[0] = server[0] = 10;
    (client_is_a ? client : server)[3] = 1;
    (client_is_a ? server : client)[3] = 2;
    (client_is_a ? key_.port_a : key_.port_b) = client_port;
    (client_is_a ? key_.port_b : key_.port_a) = 80;
    key_.family = ip_family::v4;
  }

  /// Later segments come this much later.
  dialogue& wait(duration d) {
    now_ += d;
    return *this;
  }
  timestamp now() const { return now_; }
  const flow_key& key() const { return key_; }

  segment make(side from, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgment,
               std::string_view payload = {}) {
    now_ += std::chrono::microseconds{10};
    segment s;
    s.key = key_;
    s.from_b = (from == side::client) != client_is_a_;
    s.flags = flags;
    s.window = 65535;
    if ((flags & tcp_flag::syn) != 0) s.window_scale = 7;
    s.sequence = initial_[index(from)] + sequence;
    if ((flags & tcp_flag::ack) != 0)
      s.acknowledgment = initial_[index(other(from))] + acknowledgment;
    s.data = as_bytes(payload).data();
    s.captured = s.length = static_cast<std::uint32_t>(payload.size());
    s.time = now_;
    s.flow_hash = hash(key_, secret_seed());
    return s;
  }

  segment syn() { return make(side::client, tcp_flag::syn, 0, 0); }
  segment syn_ack() { return make(side::server, tcp_flag::syn | tcp_flag::ack, 0, 1); }
  segment ack(side from, std::uint32_t sequence, std::uint32_t acknowledgment) {
    return make(from, tcp_flag::ack, sequence, acknowledgment);
  }
  segment data(side from, std::uint32_t sequence, std::uint32_t acknowledgment,
               std::string_view payload) {
    return make(from, tcp_flag::ack | tcp_flag::psh, sequence, acknowledgment, payload);
  }
  segment fin(side from, std::uint32_t sequence, std::uint32_t acknowledgment) {
    return make(from, tcp_flag::fin | tcp_flag::ack, sequence, acknowledgment);
  }
  segment rst(side from, std::uint32_t sequence) { return make(from, tcp_flag::rst, sequence, 0); }

  /// SYN, SYN-ACK, ACK.
  std::vector<segment> handshake() { return {syn(), syn_ack(), ack(side::client, 1, 1)}; }

  /// A whole session: handshake, request, response, both FINs.
  std::vector<segment> whole(std::string_view request, std::string_view response) {
    const auto c = static_cast<std::uint32_t>(request.size());
    const auto s = static_cast<std::uint32_t>(response.size());
    auto all = handshake();
    all.push_back(data(side::client, 1, 1, request));
    all.push_back(ack(side::server, 1, 1 + c));
    all.push_back(data(side::server, 1, 1 + c, response));
    all.push_back(ack(side::client, 1 + c, 1 + s));
    all.push_back(fin(side::client, 1 + c, 1 + s));
    all.push_back(fin(side::server, 1 + s, 2 + c));
    all.push_back(ack(side::client, 2 + c, 2 + s));
    return all;
  }

private:
  bool client_is_a_;
  flow_key key_;
  std::uint32_t initial_[2];
  timestamp now_{std::chrono::seconds{1000}};
};

} // namespace weir::test
