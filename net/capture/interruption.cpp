#include <weir/net/capture/interruption.hpp>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace weir {

interruption::interruption() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

interruption::~interruption() { ::close(fd_); }

// NOLINTNEXTLINE(readability-make-member-function-const): others see a change
void interruption::raise() noexcept {
  const int before = errno;
  const std::uint64_t one = 1;
  // Cannot fail before it was raised 2^64 - 1 times.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  errno = before;
}

bool interruption::raised() const noexcept {
  pollfd p{fd_, POLLIN, 0};
  return ::poll(&p, 1, 0) > 0;
}

} // namespace weir
