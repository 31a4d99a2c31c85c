#include <weir/net/decode/packet_walk.hpp>

#include <algorithm>

namespace weir {

packet_walk::packet_walk(const decoder_options& options, memory_budget& budget)
    : verify_checksums_(options.verify_checksums),
      shards_(std::max<std::size_t>(options.shards, 1)),
      max_layers_(options.max_layers),
      seed_(secret_seed()),
      fragments_({.timeout = options.fragment_timeout, .max_bytes = options.max_fragment_bytes},
                 budget) {
  forks_.reserve(max_layers_);
}

void packet_walk::begin(packet_block& block) noexcept {
  block_ = &block;
  encapsulations_.clear();
}

outcome packet_walk::decode(const packet& p) {
  in_ = cursor{block_->bytes(p)};
  // What a record claims beyond any packet's size is damage, not length.
  const auto wire = std::min<std::size_t>(p.wire, packet_block::max_packet);
  missing_ = wire > p.captured ? wire - p.captured : 0;
  time_ = p.time;
  path_.clear();
  layers_left_ = max_layers_;

  auto result = follow(first(p.link));
  while (!forks_.empty()) {
    const auto& f = forks_.back();
    in_ = f.in;
    missing_ = f.missing;
    layers_left_ = f.layers_left;
    path_.back_to(f.path);
    forks_.pop_back();
    result = std::min(result, follow(layer::wlan_subframe));
  }
  return result;
}

outcome packet_walk::follow(layer next) {
  was_fragment_ = false;
  for (; next != layer::done; --layers_left_) {
    if (layers_left_ == 0) return outcome::malformed;
    next = step(next);
  }
  return was_fragment_ && outcome_ == outcome::not_tcp ? outcome::fragment : outcome_;
}

packet_walk::layer packet_walk::step(layer l) {
  switch (l) {
  case layer::ethernet: return ethernet();
  case layer::fddi: return fddi();
  case layer::llc: return llc();
  case layer::vlan: return vlan();
  case layer::mpls: return mpls();
  case layer::pppoe: return pppoe();
  case layer::ppp: return ppp();
  case layer::ppp_serial: return ppp_serial();
  case layer::cisco_hdlc: return cisco_hdlc();
  case layer::linux_sll: return linux_sll();
  case layer::linux_sll2: return linux_sll2();
  case layer::null: return null();
  case layer::loop: return loop();
  case layer::nflog: return nflog();
  case layer::wlan: return wlan(false);
  case layer::wlan_aligned: return wlan(true);
  case layer::wlan_subframe: return wlan_subframe();
  case layer::radiotap: return radiotap();
  case layer::prism: return prism();
  case layer::avs: return avs();
  case layer::ppi: return ppi();
  case layer::ip: return ip();
  case layer::ipv4: return ipv4();
  case layer::ipv6: return ipv6();
  case layer::ip_options: return options();
  case layer::ip_routing: return routing();
  case layer::ip_fragment: return ipv6_fragment();
  case layer::ip_authentication: return authentication();
  case layer::ip_in_ip_v4: return ip_in_ip(layer::ipv4);
  case layer::ip_in_ip_v6: return ip_in_ip(layer::ipv6);
  case layer::gre: return gre();
  case layer::udp: return udp();
  case layer::tcp: return tcp();
  case layer::done: break;
  }
  return layer::done;
}

void packet_walk::bound(std::size_t n) noexcept {
  if (n <= in_.size()) {
    in_.limit(n);
    missing_ = 0;
  } else {
    missing_ = std::min(missing_, n - in_.size());
  }
}

void packet_walk::bound_ip(std::size_t n) noexcept {
  missing_ = n > in_.size() ? n - in_.size() : 0;
  in_.limit(n);
}

} // namespace weir
