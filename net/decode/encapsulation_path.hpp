/// What a packet is wrapped in, as far as its headers were read: the list for the index, and the
/// hash that keeps equal inner addresses of different networks apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <weir/net/flow.hpp>
#include <weir/net/packet_block.hpp>

namespace weir {

/// Belongs to one packet at a time; cleared for the next, it keeps its memory.
class encapsulation_path {
public:
  encapsulation_path() : seed_(secret_seed()) {}

  void clear() noexcept {
    layers_.clear();
    context_ = 0;
    identity_ = 0;
  }

  bool empty() const noexcept { return layers_.empty(); }

  /// Where a path forks: the layers that all its branches share.
  class mark {
    friend class encapsulation_path;
    std::size_t layers = 0;
    std::uint64_t context = 0;
    std::uint64_t identity = 0;
  };

  mark here() const noexcept {
    mark m;
    m.layers = layers_.size();
    m.context = context_;
    m.identity = identity_;
    return m;
  }

  /// Forgets the layers that were added since.
  void back_to(const mark& m) noexcept {
    layers_.erase(layers_.begin() + static_cast<std::ptrdiff_t>(m.layers), layers_.end());
    context_ = m.context;
    identity_ = m.identity;
  }

  /// Adds a layer inside of those that are there.
  void add(const encapsulation_layer& layer);

  /// For `flow_key::context` and `fragment_key::context`.
  std::uint32_t context() const noexcept;

private:
  friend class encapsulation_index;

  std::uint64_t seed_;
  encapsulation layers_;
  /// Hash of the parts that are the same in both directions; zero where there are none.
  std::uint64_t context_ = 0;
  /// Hash of everything.
  std::uint64_t identity_ = 0;
};

/// Finds the entry of a block's `encapsulations` for a path, or makes one. Neighbouring packets
/// share a few; where there are very many, some have more than one entry.
class encapsulation_index {
public:
  /// The next block: its encapsulations are empty.
  void clear() noexcept {
    if (used_) recent_.fill({});
    used_ = false;
  }

  /// For `segment::encapsulation`, of a path that is not empty; zero where a block has 65,535
  /// entries.
  std::uint16_t find(const encapsulation_path& path, packet_block& block);

private:
  struct place {
    std::uint64_t identity = 0;
    std::uint16_t number = 0;
  };

  std::array<place, 256> recent_{};
  bool used_ = false;
};

} // namespace weir
