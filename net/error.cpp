#include <weir/net/error.hpp>

#include <cerrno>
#include <system_error>

namespace weir {

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::system: return "system error";
  case errc::not_a_capture: return "not a pcap or pcapng capture";
  case errc::truncated: return "the capture ends within a record";
  case errc::damaged: return "the capture is damaged";
  case errc::bad_compression: return "the compressed data is damaged";
  case errc::bad_filter: return "the filter does not compile";
  case errc::bad_template: return "the name template is not valid";
  case errc::already_exists: return "exists already";
  case errc::no_space: return "no space left";
  case errc::interrupted: return "interrupted";
  }
  return "unknown error";
}

std::string error::message() const {
  std::string text = subject;
  if (!text.empty()) text += ": ";
  return text += detail.empty() ? std::string{to_string(code)} : detail;
}

error system_error(int errno_value, std::string subject) {
  const auto code = errno_value == ENOSPC || errno_value == EDQUOT ? errc::no_space : errc::system;
  return {code, std::move(subject), std::generic_category().message(errno_value)};
}

} // namespace weir
