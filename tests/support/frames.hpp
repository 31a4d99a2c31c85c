/// Whole conversations as Ethernet frames, for tests that begin with packets.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <weir/tests/support/packets.hpp>

namespace weir::test {

using frames = std::vector<byte_vector>;

/// A frame of the conversation between 192.0.2.1:`client_port` and 198.51.100.7:80.
inline byte_vector tcp_frame(std::uint16_t client_port, bool from_client, std::uint8_t flags,
                             std::uint32_t sequence, std::uint32_t acknowledgment,
                             content payload = {}) {
  tcp_fields fields{.sequence = sequence, .acknowledgment = acknowledgment, .flags = flags};
  fields.source = from_client ? client_port : 80;
  fields.destination = from_client ? 80 : client_port;
  ipv4_fields ends;
  if (!from_client) std::swap(ends.source, ends.destination);
  return ethernet(ipv4(ends, tcp(fields, payload)));
}

/// The client's bytes begin at 100, the server's at 500.
inline frames handshake(std::uint16_t port) {
  return {tcp_frame(port, true, tcp_flag::syn, 99, 0),
          tcp_frame(port, false, tcp_flag::syn | tcp_flag::ack, 499, 100),
          tcp_frame(port, true, tcp_flag::ack, 100, 500)};
}

/// Both sides close; `client` and `server` are their next sequence numbers.
inline frames closing(std::uint16_t port, std::uint32_t client, std::uint32_t server) {
  return {tcp_frame(port, true, tcp_flag::fin | tcp_flag::ack, client, server),
          tcp_frame(port, false, tcp_flag::fin | tcp_flag::ack, server, client + 1),
          tcp_frame(port, true, tcp_flag::ack, client + 1, server + 1)};
}

inline void append(frames& to, const frames& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// A whole conversation.
inline frames exchange(std::uint16_t port, std::string_view request, std::string_view response) {
  const auto client = static_cast<std::uint32_t>(100 + request.size());
  const auto server = static_cast<std::uint32_t>(500 + response.size());
  frames all = handshake(port);
  all.push_back(tcp_frame(port, true, tcp_flag::ack, 100, 500, request));
  all.push_back(tcp_frame(port, false, tcp_flag::ack, 500, client, response));
  append(all, closing(port, client, server));
  return all;
}

} // namespace weir::test
