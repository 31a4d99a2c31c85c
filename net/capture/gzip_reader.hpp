/// gzip (RFC 1952) taken off on the way, where there is any.
#pragma once

#include <memory>
#include <string>

#include <weir/net/capture/byte_reader.hpp>

namespace weir {

/// Hands out what `input` inflates to where it begins as gzip does, else its bytes as they are.
/// Several members one after the other are one stream (RFC 1952 2.2), zeros after the last are
/// padding. Anything else that breaks off or is broken ends with `bad_compression`, naming `name`.
std::unique_ptr<byte_reader> read_decompressed(std::unique_ptr<byte_reader> input,
                                               std::string name);

} // namespace weir
