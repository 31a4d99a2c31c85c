#include <weir/tests/apps/attacks.hpp>

#include <ios>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <weir/tests/apps/command.hpp>

namespace weir::test {

namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ip_size = 20;
constexpr std::size_t tcp_size = 20;
constexpr std::uint8_t tcp_protocol = 6;
constexpr std::uint16_t more_fragments = 0x2000;

/// Headers in network byte order, on the stack: a flood has a million of them.
class header_bytes {
public:
  header_bytes& u8(std::uint64_t v) {
    bytes_.at(size_++) = static_cast<std::byte>(v & 0xff);
    return *this;
  }
  header_bytes& u16(std::uint64_t v) { return u8(v >> 8).u8(v); }
  header_bytes& u32(std::uint64_t v) { return u16(v >> 16).u16(v); }

  header_bytes& ethernet(std::uint16_t ethertype) {
    return u32(0x02000000).u16(1).u32(0x02000000).u16(2).u16(ethertype);
  }
  header_bytes& ipv4(host from, host to, std::uint8_t protocol, std::uint16_t id,
                     std::uint16_t fragment_field, std::size_t payload) {
    u8(0x45).u8(0).u16(ip_size + payload).u16(id).u16(fragment_field).u8(64).u8(protocol).u16(0);
    return u32(from.address).u32(to.address);
  }
  header_bytes& tcp(host from, host to, const tcp_header& h) {
    u16(from.port).u16(to.port).u32(h.sequence).u32(h.acknowledgment);
    return u8(tcp_size / 4 << 4).u8(h.flags).u16(h.window).u16(0).u16(0);
  }

  bytes_view view() const { return bytes_view{bytes_}.first(size_); }

private:
  std::array<std::byte, ethernet_size + ip_size + tcp_size> bytes_{};
  std::size_t size_ = 0;
};

void write(std::ofstream& file, bytes_view bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// In this machine's byte order.
template<std::size_t N>
void write(std::ofstream& file, const std::array<std::uint32_t, N>& numbers) {
  write(file, std::as_bytes(std::span{numbers}));
}

/// The number after `name`, from `at` on; zero where there is none.
std::uint64_t number_after(std::string_view line, std::string_view name, std::size_t& at) {
  at = line.find(name, at);
  if (at == std::string_view::npos) return 0;
  at += name.size();
  std::uint64_t number = 0;
  for (; at < line.size() && line[at] >= '0' && line[at] <= '9'; ++at)
    number = 10 * number + static_cast<std::uint64_t>(line[at] - '0');
  return number;
}

} // namespace

std::uint64_t number_stream::next() {
  auto z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

// -- capture_writer ------------------------------------------------------------------------------

capture_writer::capture_writer(const std::filesystem::path& path)
    : now_(std::chrono::sys_days{std::chrono::year{2026} / 1 / 31}) {
  file_.exceptions(std::ios::failbit | std::ios::badbit);
  file_.open(path, std::ios::binary);
  write(file_, std::array<std::uint32_t, 6>{0xa1b23c4d, 4u << 16 | 2, 0, 0, 262144, 1});
}

void capture_writer::add(bytes_view frame) {
  const auto nanoseconds = static_cast<std::uint64_t>(now_.time_since_epoch().count());
  const auto size = static_cast<std::uint32_t>(frame.size());
  write(file_, std::array{static_cast<std::uint32_t>(nanoseconds / 1'000'000'000),
                          static_cast<std::uint32_t>(nanoseconds % 1'000'000'000), size, size});
  write(file_, frame);
  now_ += std::chrono::microseconds{1};
  ++packets_;
}

void capture_writer::add_datagram(std::uint16_t ethertype, bytes_view datagram) {
  const auto header = header_bytes{}.ethernet(ethertype);
  std::vector<std::byte> frame{header.view().begin(), header.view().end()};
  frame.insert(frame.end(), datagram.begin(), datagram.end());
  add(frame);
}

void capture_writer::add_ipv4(host from, host to, std::uint8_t protocol, std::uint16_t id,
                              std::uint16_t fragment_field, bytes_view payload) {
  const auto header =
      header_bytes{}.ethernet(0x0800).ipv4(from, to, protocol, id, fragment_field, payload.size());
  std::vector<std::byte> frame{header.view().begin(), header.view().end()};
  frame.insert(frame.end(), payload.begin(), payload.end());
  add(frame);
}

void capture_writer::add_tcp(host from, host to, const tcp_header& h, bytes_view payload) {
  const auto header = header_bytes{}
                          .ethernet(0x0800)
                          .ipv4(from, to, tcp_protocol, 0, 0, tcp_size + payload.size())
                          .tcp(from, to, h);
  if (payload.empty()) return add(header.view());
  std::vector<std::byte> frame{header.view().begin(), header.view().end()};
  frame.insert(frame.end(), payload.begin(), payload.end());
  add(frame);
}

void capture_writer::close() { file_.close(); }

// -- honest_sessions -----------------------------------------------------------------------------

void honest_sessions::send(conversation& c, side from, std::uint8_t flags, bytes_view payload) {
  const auto f = index(from);
  const auto t = index(other(from));
  const bool syn = (flags & tcp_flag::syn) != 0;
  const bool acks = !syn || from == side::server;
  if (acks) flags |= tcp_flag::ack;
  const tcp_header h{.flags = flags, .sequence = c.next[f], .acknowledgment = acks ? c.next[t] : 0};
  if (fragmented_ && payload.size() > 8) {
    const auto tcp = header_bytes{}.tcp(c.hosts[f], c.hosts[t], h);
    std::vector<std::byte> first{tcp.view().begin(), tcp.view().end()};
    constexpr std::size_t cut = 4; // up to a multiple of eight
    first.insert(first.end(), payload.begin(), payload.begin() + cut);
    const auto id = ip_id_++;
    out_->add_ipv4(c.hosts[f], c.hosts[t], tcp_protocol, id, more_fragments, first);
    out_->add_ipv4(c.hosts[f], c.hosts[t], tcp_protocol, id,
                   static_cast<std::uint16_t>(first.size() / 8), payload.subspan(cut));
  } else {
    out_->add_tcp(c.hosts[f], c.hosts[t], h, payload);
  }
  const bool fin = (flags & tcp_flag::fin) != 0;
  c.next[f] += static_cast<std::uint32_t>(payload.size()) + (syn || fin ? 1 : 0);
  c.sent[f].append(reinterpret_cast<const char*>(payload.data()), payload.size());
}

void honest_sessions::open_one() {
  const auto port = static_cast<std::uint16_t>(20000 + all_.size());
  auto& c = all_.emplace_back();
  c.hosts = {host{0x0a000001, port}, host{0x0a010001, 443}};
  c.next = {numbers_.next32(), numbers_.next32()};
  send(c, side::client, tcp_flag::syn);
  send(c, side::server, tcp_flag::syn);
  send(c, side::client, 0);
}

void honest_sessions::exchange(conversation& c) {
  for (const auto from : both_sides) {
    std::array<std::byte, 1400> text;
    for (auto& b : text)
      b = static_cast<std::byte>(numbers_.next() & 0xff);
    const auto size = 1 + numbers_.below(text.size());
    send(c, from, tcp_flag::psh, bytes_view{text}.first(size));
    send(c, other(from), 0);
  }
}

void honest_sessions::close(conversation& c) {
  send(c, side::client, tcp_flag::fin);
  send(c, side::server, tcp_flag::fin);
  send(c, side::client, 0);
  c.open = false;
}

void honest_sessions::open(std::size_t count) {
  for (; count > 0; --count)
    open_one();
}

void honest_sessions::proceed() {
  for (auto& c : all_)
    if (c.open) exchange(c);
}

void honest_sessions::close() {
  for (auto& c : all_)
    if (c.open) close(c);
}

void honest_sessions::whole(std::size_t count) {
  for (; count > 0; --count) {
    open_one();
    exchange(all_.back());
    close(all_.back());
  }
}

std::vector<honest_sessions::ends> honest_sessions::opened() const {
  std::vector<ends> result;
  for (const auto& c : all_)
    if (c.open) result.push_back({c.hosts, c.next});
  return result;
}

std::string honest_sessions::complaints(const std::filesystem::path& folder) const {
  std::map<std::uint16_t, std::vector<nlohmann::json>> by_port;
  std::ifstream lines{folder / "sessions.jsonl"};
  for (std::string line; std::getline(lines, line);) {
    if (line.find(R"("address":"10.0.0.1")") == std::string::npos) continue;
    auto json = nlohmann::json::parse(line);
    const auto port = json["client"]["port"].get<std::uint16_t>();
    by_port[port].push_back(std::move(json));
  }
  std::string text;
  for (const auto& c : all_) {
    const auto port = c.hosts[0].port;
    const auto& found = by_port[port];
    if (found.size() != 1) {
      text += fmt::format("port {}: {} sessions\n", port, found.size());
      continue;
    }
    const auto& line = found.front();
    bool whole = line["state"] == "closed" && !line["midstream"].get<bool>();
    for (const auto s : both_sides) {
      const auto& of_side = line[std::string{to_string(s)}];
      whole = whole && of_side["missing"] == 0 && of_side.contains("file")
              && read_file(folder / of_side["file"].get<std::string>()) == c.sent[index(s)];
    }
    if (!whole) text += line.dump() + '\n';
    if (text.size() > 2000) return text + "...\n";
  }
  return text;
}

index_figures sum_index(const std::filesystem::path& folder) {
  index_figures sum;
  std::ifstream lines{folder / "sessions.jsonl"};
  for (std::string line; std::getline(lines, line);) {
    ++sum.lines;
    constexpr std::string_view state = R"("state":")";
    const auto begin = line.find(state) + state.size();
    ++sum.by_state[line.substr(begin, line.find('"', begin) - begin)];
    std::size_t at = 0;
    sum.packets += number_after(line, R"("packets":)", at);
    sum.packets += number_after(line, R"("packets":)", at);
  }
  return sum;
}

} // namespace weir::test
