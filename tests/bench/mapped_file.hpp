/// A whole file as bytes in memory.
#pragma once

#include <cstddef>
#include <string>

#include <weir/net/bytes.hpp>

namespace weir::bench {

/// Throws std::system_error where the file cannot be read.
class mapped_file {
public:
  explicit mapped_file(const std::string& path);
  ~mapped_file();

  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  bytes_view bytes() const noexcept { return {static_cast<const std::byte*>(data_), size_}; }

private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace weir::bench
