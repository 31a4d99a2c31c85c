/// Times and sizes as people write and read them.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include <weir/net/time.hpp>

namespace weir::app {

/// An option that takes `90`, `90s`, `500ms`, `5m`, `2h` or `1d`; a bare number is in seconds.
CLI::Option* add_duration(CLI::App& app, const std::string& name, duration& value,
                          const std::string& description);

/// An option that takes `4096`, `64k`, `10M` or `1G`, in powers of 1024.
CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& value,
                      const std::string& description);

/// `1.07 GB`, in powers of 1000.
std::string human_bytes(double bytes);

/// `1,240,000`.
std::string grouped(std::uint64_t number);

} // namespace weir::app
