#include <weir/tests/bench/traffic.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace weir::bench {

namespace {

using std::chrono::microseconds;

constexpr std::size_t sessions = 200'000;
constexpr std::size_t most_open = 10'000;

/// A sensor that reports and asks, 13 packets with opening and closing.
connection make_session(std::size_t number, timestamp now, random& random) {
  const auto client =
      ipv4_end(0x0a800000U + static_cast<std::uint32_t>(number / 40'000 * 65'536 + number % 40'000),
               static_cast<std::uint16_t>(random.between(1'024, 65'535)));
  const auto server = ipv4_end(0xc6336401U + static_cast<std::uint32_t>(number % 16), 80);
  connection c{client, server, path{}, now, random.next()};
  const auto report = fmt::format(R"({{"sensor":{},"level":{},"salt":"{:0{}x}"}})", number,
                                  random.next32(), random.next(), random.between(160, 360));
  c.open();
  c.send(side::client,
         as_bytes(fmt::format("POST /report HTTP/1.1\r\nHost: gauge.example.net\r\n"
                              "Content-Length: {}\r\n\r\n{}",
                              report.size(), report)),
         {});
  c.send(side::server,
         as_bytes(fmt::format("HTTP/1.1 201 Created\r\nServer: weir\r\nLocation: /r/{:016x}\r\n"
                              "Content-Length: 0\r\n\r\n",
                              random.next())),
         {});
  c.send(side::client,
         as_bytes(fmt::format("GET /config/{} HTTP/1.1\r\nHost: gauge.example.net\r\n\r\n",
                              random.next32())),
         {}, connection::last_ack::left_to_reply);
  const auto config = fmt::format("{:0{}x}", random.next(), random.between(200, 460));
  c.send(side::server,
         as_bytes(fmt::format("HTTP/1.1 200 OK\r\nServer: weir\r\nContent-Type: text/plain\r\n"
                              "ETag: \"{:08x}\"\r\nContent-Length: {}\r\n\r\n{}",
                              random.next32(), config.size(), config)),
         {});
  c.close(side::client, {});
  return c;
}

} // namespace

void make_small(double scale, capture& out) {
  random random{2};
  const auto all = static_cast<std::size_t>(static_cast<double>(sessions) * scale);
  std::size_t started = 0;
  std::vector<connection> open;
  timestamp now = capture_start;
  // Each takes its turn with one packet; whoever is done makes room for the next in its place.
  // Starts are spread over the first rounds, so that openings and closings mix.
  constexpr std::size_t rounds_to_fill = 13;
  const auto start_some = [&](std::size_t limit) {
    while (started < all && open.size() < limit)
      open.push_back(make_session(started++, now, random));
  };
  for (std::size_t round = 1; round == 1 || !open.empty(); ++round) {
    start_some(most_open * std::min(round, rounds_to_fill) / rounds_to_fill);
    for (std::size_t i = 0; i < open.size(); ++i) {
      now += microseconds{11};
      auto& turn = open[i];
      turn.write_next(out.packets, now);
      if (turn.pending()) continue;
      turn.write_truth(out.truth);
      if (started < all)
        turn = make_session(started++, now, random);
      else
        std::swap(open[i--], open.back()), open.pop_back();
    }
  }
}

} // namespace weir::bench
