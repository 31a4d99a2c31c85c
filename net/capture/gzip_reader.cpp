#include <weir/net/capture/gzip_reader.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <optional>
#include <vector>

#include <zlib.h>

namespace weir {

namespace {

/// RAII around zlib's inflate state for gzip members.
class inflater {
public:
  inflater() {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc{};
  }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  ~inflater() { inflateEnd(&stream_); }

  struct step {
    int status;
    std::size_t taken;
    std::size_t made;
  };

  step run(std::span<std::byte> from, std::span<std::byte> into) noexcept {
    const auto clamp = [](std::size_t n) {
      return static_cast<uInt>(std::min<std::size_t>(n, std::numeric_limits<uInt>::max()));
    };
    stream_.next_in = reinterpret_cast<Bytef*>(from.data());
    const auto in = stream_.avail_in = clamp(from.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    const auto out = stream_.avail_out = clamp(into.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    return {status, in - stream_.avail_in, out - stream_.avail_out};
  }

  void next_member() noexcept { inflateReset(&stream_); }

  /// What zlib says about the last failure, if anything.
  std::string words() const { return stream_.msg != nullptr ? stream_.msg : ""; }

private:
  z_stream stream_{};
};

class decompressing_reader final : public byte_reader {
public:
  decompressing_reader(std::unique_ptr<byte_reader> input, std::string name)
      : input_(std::move(input)), name_(std::move(name)) {}

  result<std::size_t> read(std::span<std::byte> into) override {
    if (format_ == format::unknown) recognise();
    std::size_t done = 0;
    while (done < into.size() && !at_end_ && !failure_) {
      if (unread().empty()) {
        if (done != 0 && !input_->ready()) break;
        if (format_ == format::plain) {
          done += read_input(into.subspan(done));
          continue;
        }
        if (!refill()) break;
      }
      done += format_ == format::plain ? copy(into.subspan(done)) : expand(into.subspan(done));
    }
    if (done == 0 && failure_) return tl::unexpected(*failure_);
    return done;
  }

  bool ready() const noexcept override {
    return at_end_ || failure_ || begin_ != end_ || input_->ready();
  }

  packet_source::progress position() const noexcept override {
    auto p = input_->position();
    p.done -= end_ - begin_;
    return p;
  }

  bool reopens() const noexcept override { return input_->reopens(); }

private:
  enum class format : std::uint8_t { unknown, plain, gzip };

  std::span<std::byte> unread() noexcept {
    return std::span{buffer_}.subspan(begin_, end_ - begin_);
  }

  void recognise() {
    while (end_ < 2 && !failure_) {
      const auto n = read_input(std::span{buffer_}.subspan(end_));
      if (n == 0) break;
      end_ += n;
    }
    const bool magic = end_ >= 2 && buffer_[0] == std::byte{0x1f} && buffer_[1] == std::byte{0x8b};
    format_ = magic ? format::gzip : format::plain;
    if (magic) inflater_.emplace();
    // What is in the buffer comes first.
    if (end_ != 0) at_end_ = false;
  }

  /// Zero at the end and on an error; `at_end_` or `failure_` tells which.
  std::size_t read_input(std::span<std::byte> into) {
    auto n = input_->read(into);
    if (!n) {
      failure_ = std::move(n.error());
      return 0;
    }
    if (*n == 0) at_end_ = true;
    return *n;
  }

  /// More compressed bytes. False where there are none, which is in order between members only.
  bool refill() {
    begin_ = 0;
    end_ = read_input(buffer_);
    if (at_end_ && in_member_) fail("the compressed data ends early");
    return end_ != 0;
  }

  std::size_t copy(std::span<std::byte> into) noexcept {
    const auto n = std::min(into.size(), end_ - begin_);
    std::copy_n(unread().begin(), n, into.begin());
    begin_ += n;
    return n;
  }

  std::size_t expand(std::span<std::byte> into) {
    if (!in_member_ && !find_member()) return 0;
    const auto step = inflater_->run(unread(), into);
    begin_ += step.taken;
    if (step.status == Z_STREAM_END) {
      in_member_ = false;
      inflater_->next_member();
    } else if (step.status != Z_OK && step.status != Z_BUF_ERROR) {
      const auto words = inflater_->words();
      fail("the compressed data is damaged" + (words.empty() ? "" : " (" + words + ')'));
    }
    return step.made;
  }

  /// Skips padding up to a member. False where none begins in the buffer.
  bool find_member() {
    while (begin_ != end_ && buffer_[begin_] == std::byte{0})
      ++begin_;
    if (begin_ == end_) return false;
    if (buffer_[begin_] != std::byte{0x1f}) {
      fail("what follows the compressed data is not gzip");
      return false;
    }
    return in_member_ = true;
  }

  void fail(std::string detail) {
    failure_ = error{errc::bad_compression, name_, std::move(detail)};
  }

  std::unique_ptr<byte_reader> input_;
  std::string name_;
  format format_ = format::unknown;
  std::optional<inflater> inflater_;
  bool in_member_ = false;
  bool at_end_ = false;
  std::optional<error> failure_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(std::size_t{64} << 10);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

} // namespace

std::unique_ptr<byte_reader> read_decompressed(std::unique_ptr<byte_reader> input,
                                               std::string name) {
  return std::make_unique<decompressing_reader>(std::move(input), std::move(name));
}

} // namespace weir
