/// BPF filters in pcap-filter(7) syntax, compiled by libpcap for each link type that occurs.
#pragma once

#include <memory>
#include <string>

#include <weir/net/error.hpp>
#include <weir/net/packet_block.hpp>

namespace weir {

class packet_filter {
public:
  /// Checks the expression for Ethernet and raw IP; fails with libpcap's words where no link type
  /// accepts it.
  static result<packet_filter> compile(std::string expression);

  packet_filter(packet_filter&&) noexcept;
  packet_filter& operator=(packet_filter&&) noexcept;
  ~packet_filter();

  /// Removes the packets of the block that do not match; returns how many. A link type on which the
  /// expression does not compile matches nothing.
  std::size_t apply(packet_block& block);

private:
  struct impl;
  explicit packet_filter(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

} // namespace weir
