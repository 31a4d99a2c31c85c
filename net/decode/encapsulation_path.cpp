#include <weir/net/decode/encapsulation_path.hpp>

#include <algorithm>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {
namespace {

using kind = encapsulation_layer::kind;

/// What is hashed of a layer; plain bytes without padding.
struct layer_bytes {
  std::array<std::uint8_t, 16> one{};
  std::array<std::uint8_t, 16> other{};
  std::uint32_t id = 0;
  std::uint32_t type = 0;
};
static_assert(std::has_unique_object_representations_v<layer_bytes>);

std::uint64_t mix(std::uint64_t before, const layer_bytes& bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(&bytes, sizeof bytes, seed + before);
}

/// A VLAN is one network in both directions, and so is a VXLAN or Geneve segment.
bool id_names_network(kind type) noexcept {
  return type == kind::vlan || type == kind::vxlan || type == kind::geneve;
}

/// Both directions of a tunnel run between the same two ends. Not so for
/// - MPLS: labels are local to each direction, and it has no ends;
/// - PPPoE: a session id is an access line's, which its addresses name already;
/// - ERSPAN: two switches may mirror one direction each;
/// - Teredo: the relay may be another one on the way back (RFC 4380 5.4);
/// - AYIYA: made for ends whose address changes under their connections; what it carries has public
///   addresses (draft-massar-v6ops-ayiya 1).
/// Of GTP-U and GRE the ends count but not the TEID or key: each receiver chooses its own.
bool ends_name_network(kind type) noexcept {
  switch (type) {
  case kind::ip_in_ip:
  case kind::gre:
  case kind::vxlan:
  case kind::geneve:
  case kind::gtp_u: return true;
  default: return false;
  }
}

} // namespace

void encapsulation_path::add(const encapsulation_layer& layer) {
  layers_.push_back(layer);
  const auto type = static_cast<std::uint32_t>(layer.type);
  identity_ = mix(identity_, {layer.source.bytes, layer.destination.bytes, layer.id, type}, seed_);
  const auto use_id = id_names_network(layer.type);
  const auto use_ends = ends_name_network(layer.type);
  if (!use_id && !use_ends) return;
  layer_bytes free_of_direction{.id = use_id ? layer.id : 0, .type = type};
  if (use_ends) {
    free_of_direction.one = std::min(layer.source.bytes, layer.destination.bytes);
    free_of_direction.other = std::max(layer.source.bytes, layer.destination.bytes);
  }
  context_ = mix(context_, free_of_direction, seed_);
}

std::uint32_t encapsulation_path::context() const noexcept {
  if (context_ == 0) return 0;
  // Zero means that nothing contributed.
  return std::max<std::uint32_t>(static_cast<std::uint32_t>(context_ >> 32), 1);
}

std::uint16_t encapsulation_index::find(const encapsulation_path& path, packet_block& block) {
  auto& recent = recent_[path.identity_ % recent_.size()];
  auto& known = block.encapsulations;
  if (recent.number != 0 && recent.identity == path.identity_
      && known[recent.number - 1u] == path.layers_)
    return recent.number;
  if (known.size() == std::numeric_limits<std::uint16_t>::max()) return 0;
  known.push_back(path.layers_);
  recent = {path.identity_, static_cast<std::uint16_t>(known.size())};
  used_ = true;
  return recent.number;
}

} // namespace weir
