/// What differs between CAF 0.17, which Debian and Ubuntu ship, and CAF 1.x: all of it is here.
#pragma once

#include <caf/config.hpp>

// 1.x defines this; CAF_VERSION is an octal literal there and cannot be compared.
#ifdef CAF_VERSION_MAJOR
#define WEIR_CAF_1
#endif

#include <algorithm>
#include <cstddef>
#include <thread>
#include <utility>

#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>

#ifdef WEIR_CAF_1
#include <caf/anon_mail.hpp>
#include <caf/result.hpp>
#else
#include <caf/replies_to.hpp>
#endif

namespace weir {

/// A handler of a typed interface that takes these and answers nothing.
#ifdef WEIR_CAF_1
template<class... In>
using handles = caf::result<void>(In...);
#else
template<class... In>
using handles = caf::reacts_to<In...>;
#endif

/// Sends without a sender: receivers of weir's messages never answer to one.
template<class Handle, class... Ts>
void tell(const Handle& to, Ts&&... xs) {
#ifdef WEIR_CAF_1
  caf::anon_mail(std::forward<Ts>(xs)...).send(to);
#else
  caf::anon_send(to, std::forward<Ts>(xs)...);
#endif
}

/// The same after a delay. Keeps the receiver alive until then.
template<class Handle, class Delay, class... Ts>
void tell_later(Delay delay, const Handle& to, Ts&&... xs) {
#ifdef WEIR_CAF_1
  caf::anon_mail(std::forward<Ts>(xs)...).delay(delay).send(to);
#else
  caf::delayed_anon_send(to, delay, std::forward<Ts>(xs)...);
#endif
}

/// Settings that weir's own programs run with. Work stealing, CAF's default, collapses with many
/// ready actors; one shared queue is as good or better with any number of sessions. No more workers
/// than processors: CAF would have four at least, and they would only take turns.
inline void tune(caf::actor_system_config& config) {
  const auto workers = std::max<std::size_t>(std::thread::hardware_concurrency() / 2, 1);
#ifdef WEIR_CAF_1
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-throughput", 300);
  config.set("caf.scheduler.max-threads", workers);
#else
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", 300);
  config.set("scheduler.max-threads", workers);
#endif
}

} // namespace weir
