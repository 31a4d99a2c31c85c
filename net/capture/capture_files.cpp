#include <weir/net/capture/capture_files.hpp>

#include <algorithm>
#include <deque>

#include <weir/net/capture/capture_stream.hpp>
#include <weir/net/capture/gzip_reader.hpp>

namespace weir {

namespace {

struct opened_capture {
  std::unique_ptr<packet_source> source;
  bool reopens = false;
};

using stop_signal = std::shared_ptr<const interruption>;

result<opened_capture> open_capture(const std::string& path, const stop_signal& stop) {
  auto file = open_file(path, stop);
  if (!file) return tl::unexpected(std::move(file.error()));
  const bool reopens = (*file)->reopens();
  const auto name = display_name(path);
  auto source = read_capture(read_decompressed(std::move(*file), name), name);
  if (!source) return tl::unexpected(std::move(source.error()));
  return opened_capture{std::move(*source), reopens};
}

/// What the first look at a file left: its place in the order, and what cannot be had a second
/// time.
struct queued_capture {
  std::string path;
  timestamp first{};
  std::uint64_t size = 0;
  /// Of a pipe: the source itself, and the block that the look took from it.
  std::unique_ptr<packet_source> source;
  std::unique_ptr<packet_block> taken;
  result<packet_source::status> outcome = packet_source::status::more;
};

/// Reads up to the first packets. Errors beyond opening are left for when the file is read.
result<queued_capture> look_at(const std::string& path, const stop_signal& stop,
                               std::unique_ptr<packet_block>& scratch) {
  auto opened = open_capture(path, stop);
  if (!opened) return tl::unexpected(std::move(opened.error()));
  if (!scratch) scratch = std::make_unique<packet_block>(0);
  scratch->clear();
  queued_capture file;
  file.path = path;
  file.outcome = opened->source->fill(*scratch);
  file.size = opened->source->position().total;
  if (!scratch->packets.empty()) file.first = scratch->packets.front().time;
  if (!opened->reopens) {
    file.source = std::move(opened->source);
    file.taken = std::move(scratch);
  }
  return file;
}

/// Hands on what was taken before. A block is never smaller than the one of the look.
void copy_packets(packet_block& from, packet_block& to) {
  for (const auto& p : from.packets) {
    const auto bytes = from.bytes(p);
    std::copy(bytes.begin(), bytes.end(), to.storage().begin() + p.offset);
  }
  to.packets.assign(from.packets.begin(), from.packets.end());
  to.now = from.now;
}

class capture_sequence final : public packet_source {
public:
  capture_sequence(std::deque<queued_capture> files, stop_signal stop)
      : files_(std::move(files)), stop_(std::move(stop)) {
    for (const auto& file : files_) {
      total_ += file.size;
      total_known_ = total_known_ && (file.size != 0 || !file.source);
    }
  }

  result<status> fill(packet_block& block) override {
    while (!files_.empty()) {
      auto outcome = fill_from(files_.front(), block);
      if (outcome && *outcome != status::end) return outcome;
      finish_file();
      if (!outcome) return outcome;
    }
    return status::end;
  }

  progress position() const noexcept override {
    auto done = done_;
    if (!files_.empty() && files_.front().source) done += files_.front().source->position().done;
    return {done, total_known_ ? std::max(total_, done) : 0};
  }

private:
  result<status> fill_from(queued_capture& file, packet_block& block) const {
    if (const auto taken = std::move(file.taken)) {
      copy_packets(*taken, block);
      return file.outcome;
    }
    if (!file.source) {
      auto opened = open_capture(file.path, stop_);
      if (!opened) return tl::unexpected(std::move(opened.error()));
      file.source = std::move(opened->source);
    }
    return file.source->fill(block);
  }

  void finish_file() {
    if (const auto& source = files_.front().source) done_ += source->position().done;
    files_.pop_front();
  }

  /// The rest, the first being read.
  std::deque<queued_capture> files_;
  stop_signal stop_;
  /// Of the files before.
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  bool total_known_ = true;
};

} // namespace

result<std::unique_ptr<packet_source>> open_capture_file(const std::string& path,
                                                         const stop_signal& stop) {
  auto opened = open_capture(path, stop);
  if (!opened) return tl::unexpected(std::move(opened.error()));
  return std::move(opened->source);
}

result<std::unique_ptr<packet_source>> open_capture_files(const std::vector<std::string>& paths,
                                                          const stop_signal& stop) {
  if (std::ranges::count(paths, "-") > 1)
    return tl::unexpected(error{errc::system, display_name("-"), "can be read only once"});
  // One file needs no order, and a pipe no wait for its first packet.
  if (paths.size() == 1) return open_capture_file(paths.front(), stop);
  std::deque<queued_capture> files;
  std::unique_ptr<packet_block> scratch;
  for (const auto& path : paths) {
    auto file = look_at(path, stop, scratch);
    if (!file) return tl::unexpected(std::move(file.error()));
    files.push_back(std::move(*file));
  }
  std::ranges::stable_sort(files, {}, &queued_capture::first);
  return std::make_unique<capture_sequence>(std::move(files), stop);
}

} // namespace weir
