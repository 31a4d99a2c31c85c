/// What a supervised actor needs of its supervisor: it says that it is up, and finds its siblings.
#pragma once

#include <any>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>

#include <weir/actors/sibling_names.hpp>

namespace weir {

/// What a child says of its start; sent by `startup`.
struct start_report {
  enum class outcome : std::uint8_t { up, ignored, failed };

  /// Which start; reports of earlier ones are stale.
  std::uint64_t run = 0;
  outcome what = outcome::up;
  caf::error reason;
};

/// One start of a child. Small, copyable, usable from any thread; keeps no actor alive. The factory
/// of a child gets it and hands it to the actor. One of `up`, `ignore` and `failed` counts, once;
/// later ones say nothing.
class startup {
public:
  /// For actors that run without a supervisor: nobody listens, and there are no siblings.
  startup() = default;

  /// The child is ready, and the supervisor may go on with the next.
  void up() const { say(start_report::outcome::up, {}); }

  /// The child is not needed here and now. That is no failure: the supervisor goes on without it,
  /// and ends the actor, if there is one.
  void ignore() const { say(start_report::outcome::ignored, {}); }

  /// The child cannot start, because of `reason`. The supervisor ends the actor, if there is one.
  void failed(caf::error reason) const { say(start_report::outcome::failed, std::move(reason)); }

  /// The child of this name that is up now, for example "writers"; it is looked for among the
  /// siblings, then in the supervisors above. "writers/0" is child 0 of the supervisor "writers".
  /// An empty handle where there is none. Looks anew each time, so a child can call it again when a
  /// sibling has been restarted.
  template<class Handle = caf::actor>
  Handle sibling(std::string_view path) const {
    return caf::actor_cast<Handle>(find(path));
  }

  /// What `start_child` was given for this child of a simple_one_for_one supervisor. Throws
  /// std::bad_any_cast for any other type; out of a factory, that is a failed start.
  template<class T>
  const T& argument() const {
    return std::any_cast<const T&>(any_argument());
  }

  /// The names from the root to this child, as "root/writers/0"; the root's name alone for a child
  /// without a name.
  const std::string& path() const noexcept;

  // -- for supervisors --------------------------------------------------------

  struct details {
    caf::actor_addr listener;
    std::uint64_t run = 0;
    std::string id;
    std::string path;
    std::shared_ptr<sibling_names> names;
    std::any argument;
  };

  explicit startup(details of) : details_(std::make_shared<const details>(std::move(of))) {}

  /// Names for the children of a supervisor that starts here, known to those above from now on.
  std::shared_ptr<sibling_names> open_names() const;

private:
  void say(start_report::outcome what, caf::error reason) const;
  caf::strong_actor_ptr find(std::string_view path) const;
  const std::any& any_argument() const noexcept;

  std::shared_ptr<const details> details_;
};

/// Makes an exception that a handler throws end the actor with an error that has its text, for
/// supervisors and monitors to see: CAF 0.17 prints it and forgets it. For an actor's constructor.
void keep_exception_text(caf::scheduled_actor& self);

} // namespace weir

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(weir::start_report)
