/// A file without a name in which the pieces of many streams wait for their sessions' end.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <weir/net/output/descriptor.hpp>

namespace weir {

/// One descriptor, however many streams. Calls return an errno value.
class spool {
public:
  /// The file is made when the first piece comes.
  explicit spool(std::string folder) : folder_(std::move(folder)) {}

  /// `at` becomes where the bytes begin; `written` how many were written, also on failure.
  int append(bytes_view bytes, std::uint64_t& at, std::uint64_t& written);

  int read(std::span<std::byte> bytes, std::uint64_t at) const noexcept;

  /// Gives the room of these bytes back, where the file system can.
  void release(std::uint64_t at, std::uint64_t size) noexcept;

  /// Gives all room back.
  void clear() noexcept;

  const std::string& folder() const noexcept { return folder_; }

private:
  std::string folder_;
  descriptor file_;
  std::uint64_t end_ = 0;
};

} // namespace weir
