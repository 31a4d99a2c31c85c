/// The way to an actor that may be restarted: who it is now.
#pragma once

#include <mutex>
#include <utility>

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>

#include <weir/actors/compat.hpp>

namespace weir {

/// Supervised actors keep what must outlive them in a lane, which they share with those who send to
/// them and with the one that takes their place: a handle would go stale. All members may be called
/// from any thread. Keeps no actor alive.
template<class Handle>
class lane {
public:
  /// By the actor, when it starts.
  void attach(const Handle& actor) {
    const std::lock_guard lock{mutex_};
    address_ = caf::actor_cast<caf::actor_addr>(actor);
  }

  /// Between two of them there is none; so what must not be lost is kept in the lane, and `message`
  /// only tells to look there, as each does when it starts.
  template<class Message>
  void notify(Message message) const {
    if (const auto actor = current()) tell(actor, std::move(message));
  }

  template<class Delay, class Message>
  void notify_later(Delay delay, Message message) const {
    if (const auto actor = current()) tell_later(delay, actor, std::move(message));
  }

private:
  Handle current() const {
    const std::lock_guard lock{mutex_};
    return caf::actor_cast<Handle>(address_);
  }

  mutable std::mutex mutex_;
  caf::actor_addr address_;
};

} // namespace weir
