/// The folders within the output folder that name templates ask for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <weir/net/output/descriptor.hpp>

namespace weir {

/// Makes folders as needed and keeps the last ones open. Goes down one component at a time and
/// follows no symbolic link, so nothing in the output folder can lead out of it.
class sub_folders {
public:
  /// `root` stays open elsewhere.
  explicit sub_folders(int root) noexcept : root_(root) {}

  /// A descriptor of the folder, valid until the next call; negative: errno is set. `path` is
  /// relative and clean, as templates make it; empty: the root.
  int get(std::string_view path);

  /// Forgets all: one of them may be gone.
  void clear() noexcept { known_.clear(); }

  /// Closes the one that was not used for the longest time; false: none is open.
  bool close_one() noexcept;

  static constexpr std::size_t max_open = 8;

private:
  struct folder {
    std::string path;
    descriptor file;
  };

  descriptor make(std::string_view path) const;

  int root_;
  /// The most recently used last.
  std::vector<folder> known_;
};

} // namespace weir
