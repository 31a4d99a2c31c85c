#include <weir/net/output/name_template.hpp>

#include <algorithm>
#include <optional>

#include <weir/net/output/community_id.hpp>
#include <weir/net/output/name_template_parser.hpp>
#include <weir/net/output/text.hpp>

namespace weir {

namespace {

using field = name_template::field;
using part = name_template::part;

void append_address_name(const ip_address& address, std::string& out) {
  const auto begin = out.size();
  append_address(address, out);
  if (address.family == ip_family::v6)
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), ':', '-');
}

void append_community_name(const session_info& info, std::string& out) {
  const auto begin = out.size();
  append_community_id(info.client, info.server, 6, out);
  if (out.size() == begin) out += '-'; // no value is empty
  for (auto i = begin; i < out.size(); ++i) {
    if (out[i] == ':' || out[i] == '+') out[i] = '-';
    if (out[i] == '/') out[i] = '_';
  }
}

void append_start(field what, const utc_time& t, std::string& out) {
  switch (what) {
  case field::year: return append_padded(static_cast<unsigned>(t.year), 4, out);
  case field::month: return append_padded(t.month, 2, out);
  case field::day: return append_padded(t.day, 2, out);
  case field::hour: return append_padded(t.hour, 2, out);
  case field::minute: return append_padded(t.minute, 2, out);
  case field::second: return append_padded(t.second, 2, out);
  case field::day_of_year: return append_padded(t.day_of_year, 3, out);
  case field::milliseconds: return append_padded(t.nanosecond / 1000000, 3, out);
  case field::microseconds: return append_padded(t.nanosecond / 1000, 6, out);
  case field::nanoseconds: return append_padded(t.nanosecond, 9, out);
  default: out += std::to_string(t.seconds); return;
  }
}

bool has(const std::vector<part>& parts, field what) {
  return std::ranges::find(parts, what, &part::what) != parts.end();
}

bool depends_on_side(field what) noexcept {
  switch (what) {
  case field::side:
  case field::source:
  case field::source_port:
  case field::destination:
  case field::destination_port: return true;
  default: return false;
  }
}

/// Splits the last literal of the last component that has a `.` with only letters and {side} behind
/// it, and returns the index of the part that begins with that `.`; the end where there is none.
std::size_t split_extension(std::vector<part>& parts) {
  for (auto i = parts.size(); i-- > 0;) {
    if (parts[i].what == field::side) continue;
    if (parts[i].what != field::literal) break;
    const auto& text = parts[i].text;
    const auto dot = text.find_last_of("./");
    if (dot == text.npos) continue;
    const bool begins_component = dot == 0 ? i == 0 : text[dot - 1] == '/';
    if (text[dot] == '/' || begins_component) break;
    if (dot == 0) return i;
    part extension{field::literal, text.substr(dot)};
    parts[i].text.resize(dot);
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(extension));
    return i + 1;
  }
  return parts.size();
}

} // namespace

name_template::name_template(std::vector<part> parts) : parts_(std::move(parts)) {
  extension_ = split_extension(parts_);
  const auto by_side = std::ranges::find_if(parts_, depends_on_side, &part::what);
  shared_ = std::min(extension_, static_cast<std::size_t>(by_side - parts_.begin()));
  has_id_ = has(parts_, field::id);
  tells_sides_ = has(parts_, field::side)
                 || (has(parts_, field::source) && has(parts_, field::source_port))
                 || (has(parts_, field::destination) && has(parts_, field::destination_port));
}

result<name_template> name_template::parse(std::string_view text) {
  return parse_name_parts(text).map(
      [](std::vector<part>&& parts) { return name_template{std::move(parts)}; });
}

void name_template::render(const session_info& info, side s, std::string& out,
                           std::string_view distinction) const {
  render_shared(info, out);
  render_rest(info, s, out, distinction);
}

void name_template::render_shared(const session_info& info, std::string& out) const {
  render_parts(0, shared_, info, side::client, out);
}

void name_template::render_rest(const session_info& info, side s, std::string& out,
                                std::string_view distinction) const {
  render_parts(shared_, extension_, info, s, out);
  out += distinction;
  render_parts(extension_, parts_.size(), info, s, out);
}

void name_template::render_parts(std::size_t begin, std::size_t end, const session_info& info,
                                 side s, std::string& out) const {
  constexpr std::size_t usual = 128;
  if (out.empty()) out.reserve(usual);
  std::optional<utc_time> start;
  for (auto i = begin; i < end; ++i) {
    const auto& p = parts_[i];
    switch (p.what) {
    case field::literal: out += p.text; break;
    case field::id: append_hex(info.id, out); break;
    case field::community_id: append_community_name(info, out); break;
    case field::client: append_address_name(info.client.address, out); break;
    case field::client_port: append_number(info.client.port, out); break;
    case field::server: append_address_name(info.server.address, out); break;
    case field::server_port: append_number(info.server.port, out); break;
    case field::side: out += to_string(s); break;
    case field::source: append_address_name(info.end_of(s).address, out); break;
    case field::source_port: append_number(info.end_of(s).port, out); break;
    case field::destination: append_address_name(info.end_of(other(s)).address, out); break;
    case field::destination_port: append_number(info.end_of(other(s)).port, out); break;
    default:
      if (!start) start = to_utc(info.start);
      append_start(p.what, *start, out);
    }
  }
}

} // namespace weir
