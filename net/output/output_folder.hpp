/// The folder that `weir dump -o DIR` fills: opened once, shared by the stores that write into it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <weir/net/error.hpp>
#include <weir/net/flow.hpp>
#include <weir/net/output/descriptor.hpp>
#include <weir/net/output/index_file.hpp>
#include <weir/net/time.hpp>

namespace weir {

/// How a file whose bytes are all known gets its name. The first two write a file that has no name
/// yet (O_TMPFILE) and link it: half the work of creating and renaming, and nothing to clean up
/// after a crash. Not every file system, kernel and set of rights can do them.
enum class publish_method : std::uint8_t {
  /// linkat(2) with AT_EMPTY_PATH: needs CAP_DAC_READ_SEARCH before Linux 6.10.
  link_descriptor,
  /// linkat(2) by way of /proc/self/fd.
  link_proc,
  /// A temporary name, and a rename that replaces nothing (renameat2(2), RENAME_NOREPLACE).
  rename,
  /// The same for file systems that always replace: link(2) and unlink(2).
  relink,
};

/// A file before it has its final name.
struct unpublished_file {
  descriptor file;
  /// Name in the folder; empty: it has none.
  std::string temporary;
  /// Where the bytes written so far end.
  std::uint64_t saved = 0;
  /// The first errno value; nothing more is written after it.
  int error = 0;

  void write(bytes_view bytes, std::uint64_t offset) noexcept;

  /// Makes a file that ends in a hole as long as it should be.
  void extend(std::uint64_t size) noexcept;
};

/// Constant after opening, but for the index, which synchronises itself: may be used from several
/// threads. Open it with the rights that the files are to be written with: what was found out about
/// publishing holds for these.
class output_folder {
public:
  /// Makes the folder with its parents where it is missing, and the index in it. Fails with
  /// `already_exists` where the folder has an index: no output is mixed with an earlier one.
  static result<std::shared_ptr<output_folder>> open(std::string path);

  /// The same with a method of publishing that is known to work.
  static result<std::shared_ptr<output_folder>> open(std::string path, publish_method method);

  const std::string& path() const noexcept { return path_; }
  int get() const noexcept { return folder_.get(); }
  publish_method method() const noexcept { return method_; }
  index_file& index() noexcept { return *index_; }

  /// Temporary files that an interrupted run left here. They are left alone: someone may want what
  /// is in them.
  const std::vector<std::string>& leftovers() const noexcept { return leftovers_; }

  /// Opens a new file of one stream, without a name where the method allows it. On failure its
  /// error is set.
  unpublished_file create(std::uint64_t session_id, side s) const;

  /// The same, always with a temporary name, so that it can be closed and opened again.
  unpublished_file create_named(std::uint64_t session_id, side s) const;

  /// Gives it the name `name` in the folder `at`. EEXIST where that is taken: never replaces a
  /// file.
  int publish(unpublished_file& file, int at, const char* name) const noexcept;

  static constexpr const char* index_name = "sessions.jsonl";

private:
  output_folder(std::string path, descriptor folder, std::unique_ptr<index_file> index)
      : path_(std::move(path)), folder_(std::move(folder)), index_(std::move(index)) {}

  static result<std::shared_ptr<output_folder>> open_with_index(std::string path);
  bool works(publish_method method);

  std::string path_;
  descriptor folder_;
  std::unique_ptr<index_file> index_;
  publish_method method_ = publish_method::rename;
  std::vector<std::string> leftovers_;
};

/// `2 unfinished files: .weir-…-client.part, …`: a few of them by name.
std::string describe_leftovers(const std::vector<std::string>& names);

/// Times of access and modification, as far as the file system keeps them.
void set_times(int folder, const char* name, timestamp access, timestamp modification) noexcept;
void set_times(int file, timestamp access, timestamp modification) noexcept;

/// How many of its files each of `stores` may hold open: a quarter of what the process may have.
std::size_t open_file_limit(std::size_t stores) noexcept;

} // namespace weir
