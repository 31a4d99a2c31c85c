/// The way of one packet through its headers, from the link layer to a TCP segment or to whatever
/// else it turns out to be. Each member of the private part reads one kind of header and says which
/// comes next; there is no recursion, and one limit bounds them all.
#pragma once

#include <cstdint>
#include <vector>

#include <weir/net/address.hpp>
#include <weir/net/bytes.hpp>
#include <weir/net/decode/decoder.hpp>
#include <weir/net/decode/encapsulation_path.hpp>
#include <weir/net/decode/fragments.hpp>
#include <weir/net/decode/protocol_counts.hpp>
#include <weir/net/memory_budget.hpp>
#include <weir/net/packet_block.hpp>

namespace weir {

/// What became of a packet; the first group of `decoder_counters`.
enum class outcome : std::uint8_t {
  tcp,
  not_tcp,
  fragment,
  malformed,
  unknown_link,
  bad_checksum,
};

inline constexpr std::size_t outcome_count = 6;

/// Made once, used for one packet after the other.
class packet_walk {
public:
  packet_walk(const decoder_options& options, memory_budget& budget);

  /// The following packets are this block's; it has its shards.
  void begin(packet_block& block) noexcept;

  /// Appends a segment to a shard of the block where the outcome is `tcp`. Of a packet that
  /// aggregates several, each segment is appended, and the outcome is the first of `outcome` that
  /// one of them has.
  outcome decode(const packet& p);

  /// What the last packet was (or the last one in it), where it is not TCP or of an unknown link
  /// type.
  protocol_id what() const noexcept { return what_; }

  const fragment_table& fragments() const noexcept { return fragments_; }

private:
  enum class layer : std::uint8_t {
    done,
    ethernet,
    fddi,
    llc,
    vlan,
    mpls,
    pppoe,
    ppp,
    ppp_serial,
    cisco_hdlc,
    linux_sll,
    linux_sll2,
    null,
    loop,
    nflog,
    wlan,
    wlan_aligned,
    wlan_subframe,
    radiotap,
    prism,
    avs,
    ppi,
    ip,
    ipv4,
    ipv6,
    ip_options,
    ip_routing,
    ip_fragment,
    ip_authentication,
    ip_in_ip_v4,
    ip_in_ip_v6,
    gre,
    udp,
    tcp,
  };

  /// Whose addresses the transport layer sees; they point into the packet.
  struct ip_ends {
    const std::byte* source = nullptr;
    const std::byte* destination = nullptr;
    ip_family family = ip_family::v4;
  };

  /// Packets of an aggregate that wait until the one before them is through.
  struct fork {
    cursor in;
    std::size_t missing = 0;
    std::size_t layers_left = 0;
    encapsulation_path::mark path;
  };

  outcome follow(layer next);
  layer step(layer l);

  // Link layers and what is between them and IP.
  layer first(link_type link) noexcept;
  layer by_ethertype(std::uint16_t type) noexcept;
  layer by_linux_protocol(std::uint16_t type) noexcept;
  layer by_address_family(std::uint32_t family) noexcept;
  layer ethernet() noexcept;
  layer fddi() noexcept;
  layer llc() noexcept;
  layer vlan();
  layer mpls();
  layer pseudowire() noexcept;
  layer pppoe();
  layer ppp() noexcept;
  layer ppp_serial() noexcept;
  layer cisco_hdlc() noexcept;
  layer linux_sll() noexcept;
  layer linux_sll2() noexcept;
  layer null() noexcept;
  layer loop() noexcept;
  layer nflog() noexcept;

  // IEEE 802.11, and what capture systems put in front of it.
  layer wlan(bool body_aligned) noexcept;
  layer wlan_subframe();
  layer radiotap() noexcept;
  layer prism() noexcept;
  layer avs() noexcept;
  layer ppi() noexcept;

  // IP, its extension headers, and fragments.
  layer ip() noexcept;
  layer ipv4();
  layer ipv6() noexcept;
  layer by_protocol(std::uint8_t protocol) noexcept;
  layer options() noexcept;
  void find_home_address(cursor options) noexcept;
  layer routing() noexcept;
  layer ipv6_fragment();
  layer authentication() noexcept;
  layer reassemble(std::uint8_t protocol, std::uint32_t id, std::uint32_t offset, bool more);

  // Tunnels.
  layer ip_in_ip(layer inner);
  layer gre();
  layer pptp(std::uint16_t flags);
  layer erspan(bool has_header);
  layer erspan3();
  layer udp();
  layer vxlan();
  layer geneve();
  layer gtp_u();
  layer teredo();
  layer ayiya();
  bool looks_like_mpls() const noexcept;
  void tunnel(encapsulation_layer::kind kind, std::uint32_t id);

  layer tcp();
  bool tcp_checksum_ok(bytes_view segment_bytes) const noexcept;

  layer finish(outcome o) noexcept {
    outcome_ = o;
    return layer::done;
  }
  layer malformed() noexcept { return finish(outcome::malformed); }
  layer other(protocol_space space, std::uint16_t number) noexcept {
    what_ = {space, number};
    return finish(outcome::not_tcp);
  }

  layer other(wireless_frame f) noexcept {
    return other(protocol_space::wireless, static_cast<std::uint16_t>(f));
  }

  /// Bytes of the current layer's payload on the wire.
  std::size_t wire_size() const noexcept { return in_.size() + missing_; }
  /// A header says that `n` bytes follow it; less than what is there is padding, and more is not
  /// believed.
  void bound(std::size_t n) noexcept;
  /// The same for IP, whose length is believed: captures are cut by more than snapshot lengths, and
  /// not all of them tell.
  void bound_ip(std::size_t n) noexcept;
  /// An IP header whose length agrees with what is there.
  static bool fits_ip(const cursor& at, std::size_t wire_size) noexcept;

  const bool verify_checksums_;
  const std::size_t shards_;
  const std::size_t max_layers_;
  const std::uint64_t seed_;
  fragment_table fragments_;
  encapsulation_index encapsulations_;

  packet_block* block_ = nullptr;

  // The current packet.
  cursor in_;
  /// Bytes on the wire behind the captured ones.
  std::size_t missing_ = 0;
  std::size_t layers_left_ = 0;
  ip_ends ends_;
  encapsulation_path path_;
  timestamp time_{};
  bool was_fragment_ = false;
  /// Which extension header comes next, where several are read alike.
  std::uint8_t extension_ = 0;
  outcome outcome_ = outcome::malformed;
  protocol_id what_;
  /// The innermost last; no more than there can be layers.
  std::vector<fork> forks_;
};

} // namespace weir
