/// What differs between CAF 0.17, which Debian and Ubuntu ship, and CAF 1.x: all of it is here.
#pragma once

#include <caf/config.hpp>

// 1.x defines this; CAF_VERSION is an octal literal there and cannot be compared.
#ifdef CAF_VERSION_MAJOR
#define WEIR_CAF_1
#endif

#include <utility>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/fwd.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_response_promise.hpp>

#ifdef WEIR_CAF_1
#include <caf/anon_mail.hpp>
#include <caf/result.hpp>
#else
#include <caf/atom.hpp>
#include <caf/replies_to.hpp>
#include <caf/response_promise.hpp>
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

/// The same for a handler that answers `Out`.
#ifdef WEIR_CAF_1
template<class Out, class... In>
using answers = caf::result<Out>(In...);
#else
template<class Out, class... In>
using answers = typename caf::replies_to<In...>::template with<Out>;
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

} // namespace weir
