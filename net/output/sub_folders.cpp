#include <weir/net/output/sub_folders.hpp>

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace weir {

int sub_folders::get(std::string_view path) {
  if (path.empty()) return root_;
  const auto known = std::ranges::find(known_, path, &folder::path);
  if (known != known_.end()) {
    std::rotate(known, known + 1, known_.end());
    return known_.back().file.get();
  }
  if (known_.size() == max_open) close_one();
  auto made = make(path);
  if (!made) return -1;
  known_.push_back({std::string{path}, std::move(made)});
  return known_.back().file.get();
}

bool sub_folders::close_one() noexcept {
  if (known_.empty()) return false;
  known_.erase(known_.begin());
  return true;
}

descriptor sub_folders::make(std::string_view path) const {
  descriptor at;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const std::string name{path.substr(0, slash)};
    path.remove_prefix(std::min(slash + 1, path.size()));
    const int parent = at ? at.get() : root_;
    if (mkdirat(parent, name.c_str(), 0777) != 0 && errno != EEXIST) return {};
    descriptor next{openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!next) return {};
    at = std::move(next);
  }
  return at;
}

} // namespace weir
