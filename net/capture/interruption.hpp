/// A way to end a wait for input from elsewhere.
#pragma once

namespace weir {

/// Once raised, it stays so. Reading from pipes and devices, which may wait for ever, ends then
/// with `errc::interrupted`; regular files are read on.
class interruption {
public:
  /// Throws std::system_error where there is no descriptor left.
  interruption();
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  /// From any thread; async-signal-safe (signal-safety(7)).
  void raise() noexcept;

  bool raised() const noexcept;

  /// Readable once raised: for poll(2) beside what is waited for.
  int descriptor() const noexcept { return fd_; }

private:
  int fd_;
};

} // namespace weir
