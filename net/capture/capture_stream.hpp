/// A capture in any of the formats, from any bytes.
#pragma once

#include <memory>
#include <string>

#include <weir/net/capture/byte_reader.hpp>
#include <weir/net/packet_source.hpp>

namespace weir {

/// Recognises the format by the first bytes and waits for these. Errors name `name`. A stream that
/// is empty is a source without packets; one that ends within its own header is told as truncated
/// by fill(), not here.
result<std::unique_ptr<packet_source>> read_capture(std::unique_ptr<byte_reader> bytes,
                                                    std::string name);

} // namespace weir
