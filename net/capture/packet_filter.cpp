#include <weir/net/capture/packet_filter.hpp>

#include <algorithm>
#include <map>
#include <new>
#include <utility>
#include <vector>

#include <pcap/pcap.h>

namespace weir {

namespace {

/// The DLT_ value, which libpcap's compiler wants, of a link type as files number it. The two agree
/// but for the types whose DLT_ value differs between systems.
int to_dlt(link_type link) noexcept {
  switch (static_cast<std::uint16_t>(link)) {
  case 12:
  case 14:
  case 101: return DLT_RAW;
  case 100: return DLT_ATM_RFC1483;
  case 102: return DLT_SLIP_BSDOS;
  case 103: return DLT_PPP_BSDOS;
  case 106: return DLT_ATM_CLIP;
  default: return static_cast<int>(link);
  }
}

/// A compiled filter.
class bpf_code {
public:
  /// The code for one link type, or libpcap's words.
  static tl::expected<bpf_code, std::string> compile(const std::string& expression,
                                                     link_type link) {
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle{
        pcap_open_dead(to_dlt(link), packet_block::max_packet), pcap_close};
    if (!handle) throw std::bad_alloc{};
    bpf_code code;
    constexpr int optimise = 1;
    if (pcap_compile(handle.get(), &code.program_, expression.c_str(), optimise,
                     PCAP_NETMASK_UNKNOWN)
        != 0) {
      std::string words = pcap_geterr(handle.get());
      std::ranges::replace(words, '\n', ' ');
      return tl::unexpected(std::move(words));
    }
    return code;
  }

  bpf_code(bpf_code&& o) noexcept : program_(std::exchange(o.program_, {})) {}
  bpf_code& operator=(bpf_code&& o) noexcept {
    std::swap(program_, o.program_);
    return *this;
  }
  ~bpf_code() { pcap_freecode(&program_); }

  bool matches(const packet& p, bytes_view bytes) const noexcept {
    return bpf_filter(program_.bf_insns, reinterpret_cast<const u_char*>(bytes.data()), p.wire,
                      p.captured)
           != 0;
  }

private:
  bpf_code() = default;

  bpf_program program_{};
};

} // namespace

struct packet_filter::impl {
  /// The code for a link type, or why there is none.
  const tl::expected<bpf_code, std::string>& code(link_type link) {
    auto found = codes.find(link);
    if (found == codes.end())
      found = codes.emplace(link, bpf_code::compile(expression, link)).first;
    return found->second;
  }

  std::string expression;
  std::map<link_type, tl::expected<bpf_code, std::string>> codes;
};

result<packet_filter> packet_filter::compile(std::string expression) {
  auto made = std::make_unique<impl>();
  made->expression = std::move(expression);
  // Expressions for what only some link types have, like a wireless frame's type or a cooked
  // capture's interface, are no errors.
  constexpr link_type radiotap{127};
  for (const auto link : {link_type::ethernet, link_type::raw, link_type::linux_sll2, radiotap})
    if (made->code(link)) return packet_filter{std::move(made)};
  const auto& words = made->code(link_type::ethernet).error();
  return tl::unexpected(error{errc::bad_filter, made->expression, words});
}

packet_filter::packet_filter(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
packet_filter::packet_filter(packet_filter&&) noexcept = default;
packet_filter& packet_filter::operator=(packet_filter&&) noexcept = default;
packet_filter::~packet_filter() = default;

std::size_t packet_filter::apply(packet_block& block) {
  const tl::expected<bpf_code, std::string>* code = nullptr;
  link_type current{};
  return std::erase_if(block.packets, [&](const packet& p) {
    if (code == nullptr || p.link != current) {
      current = p.link;
      code = &impl_->code(current);
    }
    return !*code || !(*code)->matches(p, block.bytes(p));
  });
}

} // namespace weir
