#include <weir/net/decode/decoder.hpp>

#include <algorithm>

#include <weir/net/decode/packet_walk.hpp>
#include <weir/net/decode/protocol_counts.hpp>

namespace weir {

struct decoder::impl {
  impl(const decoder_options& options, memory_budget& budget)
      : shards(std::max<std::size_t>(options.shards, 1)), walk(options, budget) {}

  std::size_t shards;
  packet_walk walk;
  std::array<std::uint64_t, outcome_count> outcomes{};
  protocol_counts others;

  std::uint64_t count(outcome o) const noexcept { return outcomes[static_cast<std::size_t>(o)]; }
};

decoder::decoder(decoder_options options, memory_budget& budget)
    : impl_(std::make_unique<impl>(options, budget)) {}

decoder::~decoder() = default;

void decoder::decode(packet_block& block) {
  auto& [shards, walk, outcomes, others] = *impl_;
  block.shards.resize(shards);
  walk.begin(block);
  // Far enough ahead that headers have arrived when their turn comes.
  constexpr std::size_t prefetch_distance = 4;
  const auto& packets = block.packets;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (i + prefetch_distance < packets.size())
      __builtin_prefetch(block.bytes(packets[i + prefetch_distance]).data());
    const auto result = walk.decode(packets[i]);
    ++outcomes[static_cast<std::size_t>(result)];
    if (result == outcome::not_tcp || result == outcome::unknown_link) others.add(walk.what());
  }
}

decoder_counters decoder::counters() const {
  const auto& fragments = impl_->walk.fragments();
  return {
      .tcp = impl_->count(outcome::tcp),
      .not_tcp = impl_->count(outcome::not_tcp),
      .fragments = impl_->count(outcome::fragment),
      .malformed = impl_->count(outcome::malformed),
      .unknown_link = impl_->count(outcome::unknown_link),
      .bad_checksum = impl_->count(outcome::bad_checksum),
      .datagrams_reassembled = fragments.counters().reassembled,
      .datagrams_given_up = fragments.counters().given_up,
      .datagrams_pending = fragments.pending(),
      .fragments_overlapping = fragments.counters().overlapping,
      .other_protocols = impl_->others.by_name(),
  };
}

} // namespace weir
