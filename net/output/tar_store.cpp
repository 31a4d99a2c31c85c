#include <weir/net/output/tar_store.hpp>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weir/net/output/session_log.hpp>
#include <weir/net/output/spool.hpp>
#include <weir/net/output/stream_key.hpp>
#include <weir/net/output/tar_header.hpp>
#include <weir/net/output/text.hpp>

namespace weir {

namespace {

/// A run of a stream's bytes in the spool.
struct extent {
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t at;
};

struct spooled_stream {
  std::vector<extent> extents;
  int error = 0;

  std::uint64_t end() const noexcept {
    return extents.empty() ? 0 : extents.back().offset + extents.back().size;
  }
};

/// A session whose entries may not be in the archive yet: its index line tells what became of them.
struct pending_session {
  struct stream {
    std::string name;
    std::uint64_t saved = 0;
    int error = 0;
    bool buffered = false;
  };
  session_info info;
  session_summary summary;
  std::array<stream, 2> streams;
};

class tar_store final : public session_store {
public:
  tar_store(std::shared_ptr<tar_file> tar, name_template names)
      : tar_(std::move(tar)),
        names_(std::move(names)),
        spool_(tar_->scratch_folder()),
        log_(tar_->index()) {
    buffer_.reserve(buffer_size);
    pending_.reserve(max_pending);
  }

  ~tar_store() override { close(); }

  void append(std::uint64_t session_id, side s, stream_piece piece) override {
    spool_piece(spooled_[{session_id, s}], piece);
  }

  void finish(finished_session&& session) override {
    latest_ = std::max(latest_, session.summary.end);
    pending_session p;
    shared_name_.clear();
    names_.render_shared(session.info, shared_name_);
    for (const auto s : both_sides) {
      auto& stream = session.streams[index(s)];
      auto& out = p.streams[index(s)];
      if (stream.spilled)
        add_spilled(session, s, out);
      else if (stream.size != 0)
        add(session, s, out);
    }
    pending_gaps_ += session.summary.sides[0].gaps.size() + session.summary.sides[1].gaps.size();
    p.info = std::move(session.info);
    p.summary = std::move(session.summary);
    pending_.push_back(std::move(p));
    session.streams = {};
    if (buffer_.size() >= flush_size || pending_.size() >= max_pending
        || pending_gaps_ >= max_pending_gaps)
      flush_buffer();
  }

  void give_up(const finished_session& session) override {
    log_.add(session.info, session.summary, {});
  }

  void flush() override {
    flush_buffer();
    log_.flush();
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    flush_buffer();
    log_.abandoned(spooled_.size(),
                   {errc::system, tar_->path(), "sessions never ended; their streams are lost"});
    log_.close();
    tar_->seen(latest_);
  }

  const store_counters& counters() const noexcept override { return log_.counters(); }
  const error* first_error() const noexcept override { return log_.first_error(); }

private:
  void spool_piece(spooled_stream& stream, const stream_piece& piece) {
    if (stream.error != 0) return;
    std::uint64_t at = 0;
    std::uint64_t written = 0;
    stream.error = spool_.append(piece.bytes.view(), at, written);
    if (written != 0) stream.extents.push_back({piece.offset, written, at});
    if (stream.error != 0) log_.failed(stream.error, spool_.folder());
  }

  std::string name(const session_info& info, side s) const {
    std::string distinction;
    if (!names_.has_id()) {
      distinction += '-';
      append_hex(info.id, distinction);
    }
    if (!names_.tells_sides()) {
      distinction += '.';
      distinction += to_string(s);
    }
    std::string text;
    text.reserve(shared_name_.size() + distinction.size() + side_room);
    text += shared_name_;
    names_.render_rest(info, s, text, distinction);
    return text;
  }

  void add(const finished_session& session, side s, pending_session::stream& out) {
    const auto& stream = session.streams[index(s)];
    out.name = name(session.info, s);
    out.saved = stream.size;
    if (stream.size > largest_buffered) return add_directly(session, s, {}, out);
    append_tar_header(out.name, stream.size, session.summary.end, buffer_);
    const auto begin = buffer_.size();
    for (const auto& piece : stream.rest) {
      buffer_.resize(begin + piece.offset);
      buffer_ += as_text(piece.bytes.view());
    }
    buffer_.resize(begin + tar_padded(stream.size));
    out.buffered = true;
  }

  void add_spilled(const finished_session& session, side s, pending_session::stream& out) {
    const auto found = spooled_.find({session.info.id, s});
    if (found == spooled_.end()) return;
    const auto spooled = std::move(found->second);
    spooled_.erase(found);
    out.error = spooled.error;
    out.saved = spooled.error == 0 ? session.streams[index(s)].size : spooled.end();
    if (out.saved != 0) {
      out.name = name(session.info, s);
      add_directly(session, s, spooled, out);
    }
    for (const auto& e : spooled.extents)
      spool_.release(e.at, e.size);
    if (spooled_.empty()) spool_.clear();
  }

  /// An entry that goes past the buffer.
  void add_directly(const finished_session& session, side s, const spooled_stream& spooled,
                    pending_session::stream& out) {
    std::string header;
    append_tar_header(out.name, out.saved, session.summary.end, header);
    auto entry = tar_->reserve(header.size() + tar_padded(out.saved));
    entry.write(as_bytes(header));
    std::uint64_t at = 0;
    const auto go_to = [&](std::uint64_t offset) {
      entry.skip(offset - at);
      at = offset;
    };
    int unread = 0;
    for (const auto& e : spooled.extents) {
      go_to(e.offset);
      if (const int failed = copy(e, entry); failed != 0) unread = failed;
      at += e.size;
    }
    // After a failure the entry ends with what was spooled.
    if (spooled.error == 0) {
      for (const auto& piece : session.streams[index(s)].rest) {
        go_to(piece.offset);
        entry.write(piece.bytes.view());
        at += piece.bytes.size();
      }
    }
    go_to(tar_padded(out.saved));
    if (const int failed = entry.finish(); failed != 0)
      lost(out, failed);
    else if (unread != 0)
      out.error = unread;
    if (out.error != 0) log_.failed(out.error, tar_->path());
  }

  /// Keeps the entry's length whatever happens.
  int copy(const extent& e, tar_file::range& entry) {
    copy_.resize(std::min<std::uint64_t>(e.size, copy_size));
    int failure = 0;
    for (std::uint64_t done = 0; done < e.size;) {
      const std::span part{copy_.data(), std::min<std::uint64_t>(copy_.size(), e.size - done)};
      if (failure == 0) failure = spool_.read(part, e.at + done);
      if (failure == 0)
        entry.write(part);
      else
        entry.skip(part.size());
      done += part.size();
    }
    return failure;
  }

  static void lost(pending_session::stream& stream, int failure) {
    stream.name.clear();
    stream.saved = 0;
    stream.error = failure;
  }

  /// Hands the buffered entries to the archive, and the sessions to the index.
  void flush_buffer() {
    int failure = 0;
    if (!buffer_.empty()) {
      auto entries = tar_->reserve(buffer_.size());
      entries.write(as_bytes(buffer_));
      failure = entries.finish();
      if (failure != 0) log_.failed(failure, tar_->path());
      buffer_.clear();
    }
    for (auto& p : pending_)
      log(p, failure);
    pending_.clear();
    pending_gaps_ = 0;
  }

  void log(pending_session& p, int failure) {
    std::array<std::string, 2> errors;
    index_files files;
    for (std::size_t i = 0; i < files.streams.size(); ++i) {
      auto& stream = p.streams[i];
      if (stream.buffered && failure != 0) lost(stream, failure);
      if (stream.error != 0) errors[i] = errno_text(stream.error);
      files.streams[i] = {stream.name, errors[i], stream.saved};
    }
    log_.add(p.info, p.summary, files);
  }

  /// Enough for what the usual templates tell sides with.
  static constexpr std::size_t side_room = 16;
  static constexpr std::size_t buffer_size = 1 << 20;
  static constexpr std::size_t copy_size = 256 << 10;
  /// Larger streams are not worth another copy.
  static constexpr std::size_t largest_buffered = 64 << 10;
  static constexpr std::size_t flush_size = buffer_size - 3 * largest_buffered;
  static constexpr std::size_t max_pending = 4096;
  static constexpr std::size_t max_pending_gaps = 64 << 10;

  std::shared_ptr<tar_file> tar_;
  name_template names_;
  spool spool_;
  std::unordered_map<stream_key, spooled_stream, hash_stream_key> spooled_;
  session_log log_;
  /// Of the session being finished.
  std::string shared_name_;
  /// Whole entries.
  std::string buffer_;
  std::vector<pending_session> pending_;
  std::size_t pending_gaps_ = 0;
  std::vector<std::byte> copy_;
  timestamp latest_{};
  bool closed_ = false;
};

} // namespace

std::unique_ptr<session_store> make_tar_store(std::shared_ptr<tar_file> tar, name_template names) {
  return std::make_unique<tar_store>(std::move(tar), std::move(names));
}

} // namespace weir
