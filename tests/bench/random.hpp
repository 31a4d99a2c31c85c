/// Random numbers that are the same on every machine, unlike the standard library's distributions.
#pragma once

#include <cmath>
#include <cstdint>

namespace weir::bench {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class random {
public:
  explicit random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint32_t next32() noexcept { return static_cast<std::uint32_t>(next() >> 32); }

  /// In [0, 1).
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  bool chance(double probability) noexcept { return unit() < probability; }

  /// In [low, high], low <= high.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return low + next() % (high - low + 1);
  }

  /// In [low, high), each order of magnitude as likely as the next; low > 0.
  double log_between(double low, double high) noexcept {
    return low * std::pow(high / low, unit());
  }

private:
  std::uint64_t state_;
};

} // namespace weir::bench
