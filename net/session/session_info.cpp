#include <weir/net/session/session_info.hpp>

namespace weir {

std::string_view to_string(session_state state) noexcept {
  switch (state) {
  case session_state::closed: return "closed";
  case session_state::reset: return "reset";
  case session_state::timeout: return "timeout";
  case session_state::evicted: return "evicted";
  case session_state::failed: return "failed";
  case session_state::open: return "open";
  }
  return "unknown";
}

} // namespace weir
