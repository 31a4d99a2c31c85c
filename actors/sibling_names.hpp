/// Where the children of a supervisor are found by name, from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <caf/actor_addr.hpp>
#include <caf/actor_control_block.hpp>

namespace weir {

/// The names of one supervisor's children that are up, and a way to those of the supervisors above
/// and below. Owns no actor. Thread-safe.
class sibling_names {
public:
  /// `outer`: the names of the supervisor above; null for the root.
  explicit sibling_names(std::shared_ptr<const sibling_names> outer = nullptr)
      : outer_(std::move(outer)) {}

  void set(const std::string& id, caf::actor_addr actor);
  /// The child is a supervisor, and these are its children.
  void set_inner(const std::string& id, std::weak_ptr<const sibling_names> inner);
  void erase(const std::string& id);

  /// The actor at `path`, as "writers" or "writers/0": the first name is looked for here, then in
  /// the supervisors above, further names among the children of the one before. Null where there is
  /// none that is up.
  caf::strong_actor_ptr find(std::string_view path) const;

private:
  struct entry {
    caf::actor_addr actor;
    std::weak_ptr<const sibling_names> inner;
  };

  bool look_up(std::string_view id, entry& found) const;

  const std::shared_ptr<const sibling_names> outer_;
  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> entries_;
};

} // namespace weir
