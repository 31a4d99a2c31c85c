/// What differs between CAF 0.17, which Debian and Ubuntu ship, and CAF 1.x: all of it is here.
#pragma once

#include <caf/config.hpp>

// 1.x defines this; CAF_VERSION is an octal literal there and cannot be compared.
#ifdef CAF_VERSION_MAJOR
#define WEIR_CAF_1
#endif

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/fwd.hpp>
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

/// Asks an actor to end, after what is in its mailbox already, or (`urgent`) before.
inline void tell_exit(const caf::strong_actor_ptr& to, const caf::actor_addr& from,
                      caf::exit_reason reason, bool urgent) {
  const auto actor = caf::actor_cast<caf::actor>(to);
#ifdef WEIR_CAF_1
  if (urgent) {
    caf::anon_mail(caf::exit_msg{from, reason}).urgent().send(actor);
  } else {
    caf::anon_mail(caf::exit_msg{from, reason}).send(actor);
  }
#else
  if (urgent) {
    caf::anon_send<caf::message_priority::high>(actor, caf::exit_msg{from, reason});
  } else {
    caf::anon_send(actor, caf::exit_msg{from, reason});
  }
#endif
}

/// Keeps a promise that is of no value, only of being done.
inline void keep_promise(caf::typed_response_promise<void>& promise) {
#ifdef WEIR_CAF_1
  promise.deliver();
#else
  static_cast<caf::response_promise&>(promise).deliver(caf::unit);
#endif
}

/// An error with a text for people. In 1.x, `Enum` needs a type id and `CAF_ERROR_CODE_ENUM`; in
/// 0.17, `category` is its name, of ten letters at most.
template<class Enum>
caf::error error_with_text(Enum code, [[maybe_unused]] std::string_view category,
                           std::string text) {
#ifdef WEIR_CAF_1
  return caf::make_error(code, std::move(text));
#else
  return {static_cast<std::uint8_t>(code), caf::atom_from_string(std::string{category}),
          caf::make_message(std::move(text))};
#endif
}

/// What `error_with_text` was given; empty where there is none.
inline std::string text_of(const caf::error& e) {
  if (!e || e.context().size() != 1 || !e.context().match_element<std::string>(0)) return {};
  return e.context().get_as<std::string>(0);
}

} // namespace weir
