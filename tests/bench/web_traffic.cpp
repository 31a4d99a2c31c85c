#include <weir/tests/bench/traffic.hpp>

#include <algorithm>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <weir/tests/bench/web_site.hpp>

namespace weir::bench {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t connections = 31'800;
constexpr std::size_t at_a_time = 64;

/// Dynamic ports as Linux gives them out.
constexpr std::uint16_t first_port = 32'768;
constexpr std::uint16_t last_port = 60'999;

std::string http_date(timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}",
                     fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())));
}

/// A request and what the server answers.
struct exchange {
  std::string request;
  std::string response;
};

std::string chunked(std::string_view body, random& random) {
  std::string out;
  while (!body.empty()) {
    const auto chunk = body.substr(0, random.between(1'000, 16'384));
    fmt::format_to(std::back_inserter(out), "{:x}\r\n{}\r\n", chunk.size(), chunk);
    body.remove_prefix(chunk.size());
  }
  return out + "0\r\n\r\n";
}

std::string form(random& random) {
  std::string body;
  for (auto fields = random.between(2, 40); fields > 0; --fields)
    fmt::format_to(std::back_inserter(body), "{}field{}={:x}", body.empty() ? "" : "&", fields,
                   random.next());
  return body;
}

class conversation {
public:
  conversation(std::string host, const std::vector<web_object>& objects)
      : host_(std::move(host)), objects_(objects) {}

  exchange next(timestamp now, random& random) const {
    const auto& object = objects_[random.between(0, objects_.size() - 1)];
    const bool post = random.chance(0.05);
    const bool head = !post && random.chance(0.01);
    const bool known = !post && !head && random.chance(0.06);
    exchange e;
    e.request = request(object, post ? "POST" : head ? "HEAD" : "GET", known, random);
    e.response = response(object, known, !head && !known, now, random);
    return e;
  }

private:
  std::string request(const web_object& object, std::string_view method, bool known,
                      random& random) const {
    auto text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
                            "x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: */*\r\n"
                            "Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n"
                            "Referer: http://{}/\r\nCookie: sid={:016x}{:016x}\r\n"
                            "Connection: keep-alive\r\n",
                            method, object.path, host_, host_, random.next(), random.next());
    if (known) text += "If-None-Match: " + object.etag + "\r\n";
    if (method != "POST") return text + "\r\n";
    const auto body = form(random);
    return text
           + fmt::format("Content-Type: application/x-www-form-urlencoded\r\n"
                         "Content-Length: {}\r\n\r\n{}",
                         body.size(), body);
  }

  static std::string response(const web_object& object, bool known, bool with_body, timestamp now,
                              random& random) {
    auto text = fmt::format("HTTP/1.1 {}\r\nServer: nginx\r\nDate: {}\r\nConnection: keep-alive\r\n"
                            "ETag: {}\r\nX-Request-Id: {:016x}\r\n",
                            known ? "304 Not Modified" : "200 OK", http_date(now), object.etag,
                            random.next());
    if (known) return text + "\r\n";
    text += fmt::format("Content-Type: {}\r\n", object.content_type);
    if (object.gzip) text += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
    if (with_body && random.chance(0.15))
      return text + "Transfer-Encoding: chunked\r\n\r\n" + chunked(object.body, random);
    text += fmt::format("Content-Length: {}\r\n\r\n", object.body.size());
    if (with_body) text += object.body;
    return text;
  }

  std::string host_;
  const std::vector<web_object>& objects_;
};

/// A connection from its first to its last packet.
class visit : public scenario {
public:
  visit(connection c, conversation about, random random)
      : scenario(std::move(c)), about_(std::move(about)), random_(random) {
    // A few connections are opened for nothing, as browsers do, and some servers give up.
    exchanges_ = random_.chance(0.0092) ? 0 : 1;
    while (exchanges_ > 0 && exchanges_ < 20 && random_.chance(0.25))
      ++exchanges_;
    refused_ = random_.chance(0.0092);
    reset_at_end_ = random_.chance(0.03);
  }

  bool advance(timestamp now) override {
    switch (stage_) {
    case stage::opening:
      link.open();
      stage_ = stage::talking;
      return true;
    case stage::talking:
      if (exchanges_-- > 0)
        talk(now);
      else
        end();
      return true;
    case stage::over: break;
    }
    return false;
  }

private:
  enum class stage : std::uint8_t { opening, talking, over };

  void talk(timestamp now) {
    const auto [request, response] = about_.next(now, random_);
    const auto thinking = duration{microseconds{random_.between(500, 32'000)}};
    link.send(side::client, as_bytes(request), thinking,
              random_.chance(0.3) ? connection::last_ack::sent
                                  : connection::last_ack::left_to_reply);
    if (refused_) {
      link.reset(side::server, thinking);
      stage_ = stage::over;
      return;
    }
    link.send(side::server, as_bytes(response), thinking);
  }

  void end() {
    const auto pause = duration{microseconds{random_.between(200, 40'000)}};
    if (reset_at_end_)
      link.reset(side::client, pause);
    else
      link.close(random_.chance(0.6) ? side::client : side::server, pause);
    stage_ = stage::over;
  }

  conversation about_;
  random random_;
  stage stage_ = stage::opening;
  int exchanges_ = 0;
  bool refused_ = false;
  bool reset_at_end_ = false;
};

/// Hosts, ports and paths of the connections.
class web {
public:
  explicit web(std::uint64_t seed) : random_(seed), objects_(make_web_objects(600, random_)) {}

  std::unique_ptr<scenario> next(timestamp now) {
    const auto [client, server] = ends();
    const path path{.round_trip = microseconds{random_.between(1'000, 30'000)},
                    .spacing = microseconds{random_.between(5, 130)},
                    .window = random_.between(10, 64),
                    .disorder = 0.001};
    auto host = fmt::format("www{}.example.com", server.address.bytes[3]);
    return std::make_unique<visit>(connection{client, server, path, now, random_.next()},
                                   conversation{std::move(host), objects_}, random{random_.next()});
  }

private:
  using pair = std::pair<endpoint, endpoint>;

  /// Mostly new ones; some ports come again after a while, as on a busy proxy.
  pair ends() {
    if (earlier_.size() == recent && random_.chance(0.047)) return remember(earlier_[oldest_]);
    const auto client = 0x0a010000U + static_cast<std::uint32_t>(random_.between(1, 200));
    const auto server = 0xcb007100U + static_cast<std::uint32_t>(random_.between(1, 250));
    const auto port = next_port_;
    next_port_ = port == last_port ? first_port : static_cast<std::uint16_t>(port + 1);
    return remember({ipv4_end(client, port), ipv4_end(server, 80)});
  }

  /// Keeps the last `recent` pairs: far more than are open, so that the oldest is long closed.
  pair remember(pair ends) {
    if (earlier_.size() < recent) {
      earlier_.push_back(ends);
    } else {
      earlier_[oldest_] = ends;
      oldest_ = (oldest_ + 1) % recent;
    }
    return ends;
  }

  static constexpr std::size_t recent = 5'000;

  random random_;
  std::vector<web_object> objects_;
  std::vector<pair> earlier_;
  std::size_t oldest_ = 0;
  std::uint16_t next_port_ = first_port;
};

} // namespace

void make_web(double scale, capture& out) {
  web site{1};
  const auto all = static_cast<std::size_t>(static_cast<double>(connections) * scale);
  std::size_t started = 0;
  run_side_by_side(
      at_a_time, [&](timestamp now) { return started++ < all ? site.next(now) : nullptr; }, out);
}

} // namespace weir::bench
