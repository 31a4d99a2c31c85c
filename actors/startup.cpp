#include <weir/actors/startup.hpp>

#include <exception>

#include <caf/scheduled_actor.hpp>

#include <weir/actors/compat.hpp>
#include <weir/actors/supervisor_error.hpp>

namespace weir {

void startup::say(start_report::outcome what, caf::error reason) const {
  if (!details_) return;
  const auto listener = caf::actor_cast<caf::actor>(details_->listener);
  if (listener) tell(listener, start_report{details_->run, what, std::move(reason)});
}

caf::strong_actor_ptr startup::find(std::string_view path) const {
  if (!details_ || !details_->names) return nullptr;
  return details_->names->find(path);
}

const std::any& startup::any_argument() const noexcept {
  static const std::any none;
  return details_ ? details_->argument : none;
}

const std::string& startup::path() const noexcept {
  static const std::string none;
  return details_ ? details_->path : none;
}

std::shared_ptr<sibling_names> startup::open_names() const {
  if (!details_ || !details_->names) return std::make_shared<sibling_names>();
  auto inner = std::make_shared<sibling_names>(details_->names);
  if (!details_->id.empty()) details_->names->set_inner(details_->id, inner);
  return inner;
}

void keep_exception_text(caf::scheduled_actor& self) {
  self.set_exception_handler([](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      return exception_error(e.what());
    } catch (...) {
      return exception_error("unknown exception");
    }
  });
}

} // namespace weir
