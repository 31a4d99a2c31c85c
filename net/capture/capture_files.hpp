/// Capture files as packet sources: pcap and pcapng, plain or gzip, files or standard input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weir/net/capture/interruption.hpp>
#include <weir/net/packet_source.hpp>

namespace weir {

/// Opens one file, or standard input for "-". Recognises format and compression by content. Fails
/// where nothing can be read at all; an empty file is a source without packets. Of a pipe, `fill`
/// gives what is there, and waits only where no packet is.
/// `stop`, where given, ends waiting for a pipe.
result<std::unique_ptr<packet_source>>
open_capture_file(const std::string& path, const std::shared_ptr<const interruption>& stop = {});

/// Several files as one capture, one after the other in the order of their first packets' times.
/// Fails where one cannot be opened or is no capture. A file that turns out truncated or damaged
/// while it is read does not keep the next ones from being read: `fill` reports its error, and
/// unlike other sources this one may be filled again after an error until it says `end`. Files
/// whose first packet cannot be told come first. Only pipes and standard input stay open meanwhile;
/// standard input may be among the paths once.
result<std::unique_ptr<packet_source>>
open_capture_files(const std::vector<std::string>& paths,
                   const std::shared_ptr<const interruption>& stop = {});

} // namespace weir
