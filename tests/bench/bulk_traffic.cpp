#include <weir/tests/bench/traffic.hpp>

#include <vector>

#include <fmt/format.h>

namespace weir::bench {

namespace {

using std::chrono::microseconds;

constexpr std::size_t downloads = 8;
/// Payload of all together; with headers and acknowledgments the file has 1 GB.
constexpr double payload_bytes = 922e6;
/// Planned at once: full segments only, as from a sender with enough to send.
constexpr std::size_t stride = 44 * connection::mss;

class download : public scenario {
public:
  download(connection c, std::size_t bytes, bytes_view noise, random random)
      : scenario(std::move(c)), bytes_(bytes), noise_(noise), random_(random) {}

  bool advance(timestamp) override {
    switch (stage_) {
    case stage::opening:
      link.open();
      link.send(side::client, as_bytes(request()), pause());
      link.send(side::server, as_bytes(head()), pause(), connection::last_ack::left_to_reply);
      stage_ = stage::flowing;
      return true;
    case stage::flowing:
      if (sent_ < bytes_) {
        flow();
      } else {
        link.close(side::server, pause());
        stage_ = stage::over;
      }
      return true;
    case stage::over: break;
    }
    return false;
  }

private:
  enum class stage : std::uint8_t { opening, flowing, over };

  static duration pause() { return microseconds{80}; }

  std::string request() {
    return fmt::format("GET /images/{:08x}.iso HTTP/1.1\r\nHost: mirror.example.org\r\n"
                       "User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
                       random_.next32());
  }

  std::string head() const {
    return fmt::format("HTTP/1.1 200 OK\r\nServer: nginx\r\n"
                       "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
                       bytes_);
  }

  void flow() {
    const auto size = std::min(stride, bytes_ - sent_);
    link.send(side::server, noise_.subspan(random_.between(0, noise_.size() - size), size),
              pause());
    sent_ += size;
  }

  std::size_t bytes_;
  std::size_t sent_ = 0;
  bytes_view noise_;
  random random_;
  stage stage_ = stage::opening;
};

std::vector<std::byte> make_noise(std::size_t size, random& random) {
  std::vector<std::byte> noise(size);
  for (auto& b : noise)
    b = static_cast<std::byte>(random.next() & 255);
  return noise;
}

} // namespace

void make_bulk(double scale, capture& out) {
  random random{3};
  const auto noise = make_noise(8 << 20, random);
  const auto each = static_cast<std::size_t>(payload_bytes * scale / downloads);
  std::size_t started = 0;
  const auto next = [&](timestamp now) -> std::unique_ptr<scenario> {
    if (started == downloads) return nullptr;
    const auto number = static_cast<std::uint16_t>(started++);
    const path path{.round_trip = microseconds{300},
                    .spacing = microseconds{random.between(60, 100)},
                    .window = 44,
                    .disorder = 0.0005};
    connection c{ipv4_end(0x0a010001U + number, static_cast<std::uint16_t>(40'000 + number)),
                 ipv4_end(0xcb007105U, 80), path, now, random.next()};
    return std::make_unique<download>(std::move(c), each, noise, bench::random{random.next()});
  };
  run_side_by_side(downloads, next, out);
}

} // namespace weir::bench
