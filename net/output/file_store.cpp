#include <weir/net/output/file_store.hpp>

#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <weir/net/output/partial_files.hpp>
#include <weir/net/output/session_log.hpp>
#include <weir/net/output/sub_folders.hpp>
#include <weir/net/output/text.hpp>

namespace weir {

namespace {

/// What goes into the n-th name that is tried, from one on: nothing, `.2` to `.9`, then the same
/// with the session's id.
constexpr unsigned names_per_style = 9;
constexpr unsigned max_names = 2 * names_per_style;

std::string distinction(unsigned n, std::uint64_t session_id) {
  std::string text;
  if (n > names_per_style) {
    n -= names_per_style;
    text += '-';
    append_hex(session_id, text);
  }
  if (n > 1) {
    text += '.';
    append_number(n, text);
  }
  return text;
}

class file_store final : public session_store {
public:
  file_store(std::shared_ptr<output_folder> folder, file_store_options options)
      : folder_(std::move(folder)),
        names_(std::move(options.names)),
        sub_folders_(folder_->get()),
        partial_(*folder_, options.max_open_files),
        log_(folder_->index()) {}

  ~file_store() override { close(); }

  void append(std::uint64_t session_id, side s, stream_piece piece) override {
    write_partial(session_id, s, piece);
  }

  void finish(finished_session&& session) override {
    std::array<std::string, 2> errors;
    index_files files;
    shared_name_.clear();
    names_.render_shared(session.info, shared_name_);
    for (const auto s : both_sides) {
      auto& name = file_names_[index(s)];
      name.clear();
      const auto& stream = session.streams[index(s)];
      if (stream.size == 0 && !stream.spilled) continue;
      const auto file = save(session, s, name);
      auto& line = files.streams[index(s)];
      line.file = name;
      if (file.error == 0) continue;
      errors[index(s)] = errno_text(file.error);
      line.error = errors[index(s)];
      line.saved = name.empty() ? 0 : file.saved;
    }
    session.streams = {};
    log_.add(session.info, session.summary, files);
  }

  void give_up(const finished_session& session) override {
    log_.add(session.info, session.summary, {});
  }

  void flush() override { log_.flush(); }

  void close() override {
    if (std::exchange(closed_, true)) return;
    log_.abandoned(partial_.size(),
                   {errc::system, folder_->path(),
                    "sessions never ended; their streams are in the .weir-*.part files"});
    log_.close();
  }

  const store_counters& counters() const noexcept override { return log_.counters(); }
  const error* first_error() const noexcept override { return log_.first_error(); }

private:
  /// Writes what is left of a stream and publishes its file. `name` becomes the file's, or stays
  /// empty.
  unpublished_file save(const finished_session& session, side s, std::string& name) {
    const auto id = session.info.id;
    const auto& stream = session.streams[index(s)];
    unpublished_file file;
    if (stream.spilled) {
      for (const auto& piece : stream.rest)
        write_partial(id, s, piece);
      file = partial_.take(id, s, stream.size);
    } else {
      file = create(id, s);
      for (const auto& piece : stream.rest)
        file.write(piece.bytes.view(), piece.offset);
      file.extend(stream.size);
    }
    set_file_times(file, session);
    if (file.error != 0) failed(file.error, session.info, s);
    if (file.saved != 0)
      publish(file, session.info, s, name);
    else if (!file.temporary.empty())
      unlinkat(folder_->get(), file.temporary.c_str(), 0);
    return file;
  }

  void write_partial(std::uint64_t session_id, side s, const stream_piece& piece) {
    const int failure = partial_.write(session_id, s, piece);
    if (failure != 0) log_.failed(failure, folder_->path());
  }

  /// A file with a name is closed before it is published, so that its errors are known.
  void set_file_times(unpublished_file& file, const finished_session& session) {
    const auto start = session.info.start;
    const auto end = session.summary.end;
    if (file.temporary.empty()) {
      set_times(file.file.get(), start, end);
      return;
    }
    const int failure = file.file.close();
    if (file.error == 0) file.error = failure;
    set_times(folder_->get(), file.temporary.c_str(), start, end);
  }

  void publish(unpublished_file& file, const session_info& info, side s, std::string& name) {
    int failure = EEXIST;
    for (unsigned n = 1; failure == EEXIST && n <= max_names; ++n) {
      name = shared_name_;
      names_.render_rest(info, s, name, n == 1 ? std::string{} : distinction(n, info.id));
      failure = publish_as(file, name);
    }
    if (failure == 0) return;
    failed(failure, info, s);
    if (file.error == 0) file.error = failure;
    // What has a name keeps it: nothing that was saved is thrown away.
    name = file.temporary;
  }

  int publish_as(unpublished_file& file, const std::string& name) {
    const auto slash = name.rfind('/');
    const bool in_root = slash == name.npos;
    const std::string_view path =
        in_root ? std::string_view{} : std::string_view{name}.substr(0, slash);
    const char* leaf = in_root ? name.c_str() : name.c_str() + slash + 1;
    int failure = publish_in(path, file, leaf);
    if (failure == ENOENT && !in_root) {
      // Someone removed a folder that is still open here.
      sub_folders_.clear();
      failure = publish_in(path, file, leaf);
    }
    return failure;
  }

  int publish_in(std::string_view path, unpublished_file& file, const char* leaf) {
    int at = sub_folders_.get(path);
    while (at < 0 && free_descriptor(errno))
      at = sub_folders_.get(path);
    return at < 0 ? errno : folder_->publish(file, at, leaf);
  }

  unpublished_file create(std::uint64_t session_id, side s) {
    auto file = folder_->create(session_id, s);
    while (free_descriptor(file.error))
      file = folder_->create(session_id, s);
    return file;
  }

  /// Whether it is worth trying again after this errno value, with a file or folder closed.
  bool free_descriptor(int failure) noexcept {
    return (failure == EMFILE || failure == ENFILE)
           && (partial_.close_one() || sub_folders_.close_one());
  }

  void failed(int errno_value, const session_info& info, side s) {
    auto subject = folder_->path() + '/';
    names_.render(info, s, subject);
    log_.failed(errno_value, subject);
  }

  std::shared_ptr<output_folder> folder_;
  name_template names_;
  sub_folders sub_folders_;
  partial_files partial_;
  session_log log_;
  /// Of the session being finished; kept for their memory.
  std::string shared_name_;
  std::array<std::string, 2> file_names_;
  bool closed_ = false;
};

} // namespace

std::unique_ptr<session_store> make_file_store(std::shared_ptr<output_folder> folder,
                                               file_store_options options) {
  return std::make_unique<file_store>(std::move(folder), std::move(options));
}

} // namespace weir
