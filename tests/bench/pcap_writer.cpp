#include <weir/tests/bench/pcap_writer.hpp>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace weir::bench {

namespace {

constexpr std::size_t buffer_size = 4 << 20;

struct file_header {
  std::uint32_t magic = 0xa1b2c3d4;
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t reserved[2] = {};
  std::uint32_t snaplen = 262144;
  std::uint32_t link_type = 1;
};
static_assert(sizeof(file_header) == 24);

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

} // namespace

pcap_writer::pcap_writer(const std::string& path)
    : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail(path_);
  buffer_.reserve(buffer_size);
  const file_header header;
  append(&header, sizeof header);
}

pcap_writer::~pcap_writer() {
  if (fd_ >= 0) ::close(fd_);
}

void pcap_writer::write(timestamp time, bytes_view header, bytes_view payload) {
  const auto microseconds = static_cast<std::uint64_t>(time.time_since_epoch().count()) / 1000;
  const auto size = static_cast<std::uint32_t>(header.size() + payload.size());
  const std::array<std::uint32_t, 4> record{static_cast<std::uint32_t>(microseconds / 1'000'000),
                                            static_cast<std::uint32_t>(microseconds % 1'000'000),
                                            size, size};
  append(record.data(), sizeof record);
  append(header.data(), header.size());
  append(payload.data(), payload.size());
  ++packets_;
}

void pcap_writer::append(const void* data, std::size_t size) {
  if (buffer_.size() + size > buffer_size) flush();
  const auto* begin = static_cast<const std::byte*>(data);
  buffer_.insert(buffer_.end(), begin, begin + size);
  bytes_ += size;
}

void pcap_writer::flush() {
  bytes_view rest{buffer_};
  while (!rest.empty()) {
    const auto written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_);
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

void pcap_writer::close() {
  flush();
  if (::close(std::exchange(fd_, -1)) != 0) fail(path_);
}

} // namespace weir::bench
