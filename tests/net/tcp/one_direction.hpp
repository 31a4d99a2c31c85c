/// One stream under test, fed with segments by offset, writing down what it delivers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <weir/net/tcp/stream.hpp>

namespace weir::test {

/// Offsets count from the first byte; any number of packets is sent a microsecond apart.
class one_direction final : public stream_sink {
public:
  explicit one_direction(stream_options options = {}, std::uint32_t first = 1000)
      : first_(first), options_(options), stream_(options_, budget, *this, figures) {}

  /// The SYN was seen, and both sides' window scales are known.
  one_direction& opened() {
    stream_.start(first_, now());
    stream_.peer_window_scale(0);
    return *this;
  }

  segment at(std::int64_t offset, std::string_view text = {}, std::uint8_t flags = tcp_flag::ack) {
    segment s;
    s.flags = flags;
    s.sequence = first_ + static_cast<std::uint32_t>(offset);
    s.data = as_bytes(text).data();
    s.captured = s.length = static_cast<std::uint32_t>(text.size());
    s.time = tick();
    return s;
  }
  void data(std::int64_t offset, std::string_view text, std::uint8_t flags = tcp_flag::ack) {
    stream_.add(at(offset, text, flags));
  }
  void fin(std::int64_t offset, std::string_view text = {}) {
    data(offset, text, tcp_flag::ack | tcp_flag::fin);
  }
  /// A segment of which the capture has only the first bytes.
  void cut(std::int64_t offset, std::string_view captured, std::uint32_t length) {
    auto s = at(offset, captured);
    s.length = length;
    stream_.add(s);
  }
  void ack(std::int64_t offset, std::uint16_t window = 65535) {
    stream_.acknowledge(acknowledgment(offset, window));
  }
  /// An acknowledgement by a segment that is not where the peer is.
  void claim(std::int64_t offset) { stream_.claim(acknowledgment(offset, 65535)); }
  /// An acknowledgement that comes with data of the peer.
  void ack_with_data(std::int64_t offset) {
    auto s = acknowledgment(offset, 65535);
    s.length = s.captured = 1;
    stream_.acknowledge(s);
  }
  void finish() { stream_.finish(tick()); }

  void on_data(bytes_view bytes, timestamp time) override {
    heard += as_text(bytes);
    times.push_back(time);
    delivered += bytes.size();
    figures.bytes += bytes.size();
    if (on_delivery) on_delivery();
  }
  void on_gap(const gap& missing, timestamp time) override {
    heard += fmt::format("[{}]", missing.length);
    times.push_back(time);
    delivered += missing.length;
  }

  void wait(std::chrono::microseconds time) { ticks_ += time.count(); }

  timestamp now() const { return timestamp{std::chrono::microseconds{ticks_}}; }
  stream& under_test() { return stream_; }
  std::size_t held() const { return stream_.held(); }

  memory_budget budget{1 << 30};
  side_summary figures;
  /// Delivered bytes, and `[length]` for each gap.
  std::string heard;
  std::vector<timestamp> times;
  std::uint64_t delivered = 0;
  std::function<void()> on_delivery;

private:
  timestamp tick() {
    ++ticks_;
    return now();
  }
  segment acknowledgment(std::int64_t offset, std::uint16_t window) {
    segment s;
    s.flags = tcp_flag::ack;
    s.acknowledgment = first_ + static_cast<std::uint32_t>(offset);
    s.window = window;
    s.time = tick();
    return s;
  }

  std::uint32_t first_;
  std::int64_t ticks_ = 0;
  stream_options options_;
  stream stream_;
};

} // namespace weir::test
