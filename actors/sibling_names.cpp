#include <weir/actors/sibling_names.hpp>

#include <utility>

#include <caf/actor_cast.hpp>

namespace weir {

void sibling_names::set(const std::string& id, caf::actor_addr actor) {
  const std::lock_guard lock{mutex_};
  entries_[id].actor = std::move(actor);
}

void sibling_names::set_inner(const std::string& id, std::weak_ptr<const sibling_names> inner) {
  const std::lock_guard lock{mutex_};
  entries_[id].inner = std::move(inner);
}

void sibling_names::erase(const std::string& id) {
  const std::lock_guard lock{mutex_};
  entries_.erase(id);
}

bool sibling_names::look_up(std::string_view id, entry& found) const {
  const std::lock_guard lock{mutex_};
  const auto i = entries_.find(id);
  if (i == entries_.end()) return false;
  found = i->second;
  return true;
}

caf::strong_actor_ptr sibling_names::find(std::string_view path) const {
  auto slash = path.find('/');
  entry at;
  const auto* scope = this;
  while (!scope->look_up(path.substr(0, slash), at)) {
    scope = scope->outer_.get();
    if (scope == nullptr) return nullptr;
  }
  while (slash != std::string_view::npos) {
    path.remove_prefix(slash + 1);
    slash = path.find('/');
    // A copy: `at` is about to be overwritten.
    const auto inner = at.inner.lock();
    if (!inner || !inner->look_up(path.substr(0, slash), at)) return nullptr;
  }
  return caf::actor_cast<caf::strong_actor_ptr>(at.actor);
}

} // namespace weir
