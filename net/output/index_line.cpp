#include <weir/net/output/index_line.hpp>

#include <weir/net/output/community_id.hpp>
#include <weir/net/output/text.hpp>

namespace weir {

namespace {

/// A member's name is given as it is written, with what precedes it: `,"name":`.
void append_member(std::string_view name, std::uint64_t value, std::string& out) {
  out += name;
  append_number(value, out);
}

void append_member(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  append_json_string(value, out);
}

void append_member(std::string_view name, const ip_address& value, std::string& out) {
  out += name;
  out += '"';
  append_address(value, out);
  out += '"';
}

void append_unless_zero(std::string_view name, std::uint64_t value, std::string& out) {
  if (value != 0) append_member(name, value, out);
}

bool has_id(const encapsulation_layer& layer) noexcept {
  using enum encapsulation_layer::kind;
  switch (layer.type) {
  case ip_in_ip:
  case teredo:
  case ayiya: return false;
  case gre: return layer.id != 0; // a key is optional (RFC 2890)
  default: return true;
  }
}

bool has_ends(const encapsulation_layer& layer) noexcept {
  using enum encapsulation_layer::kind;
  return layer.type != vlan && layer.type != mpls && layer.type != pppoe;
}

void append_encapsulation(const encapsulation& layers, std::string& out) {
  out += ",\"encapsulation\":[";
  for (const auto& layer : layers) {
    if (out.back() != '[') out += ',';
    out += "{\"type\":\"";
    out += to_string(layer.type);
    out += '"';
    if (has_id(layer)) append_member(R"(,"id":)", layer.id, out);
    if (has_ends(layer)) {
      append_member(R"(,"source":)", layer.source, out);
      append_member(R"(,"destination":)", layer.destination, out);
    }
    out += '}';
  }
  out += ']';
}

void append_gaps(const side_summary& summary, std::string& out) {
  out += ",\"gaps\":[";
  for (const auto& g : summary.gaps) {
    if (out.back() != '[') out += ',';
    out += "{\"offset\":";
    append_number(g.offset, out);
    append_member(R"(,"length":)", g.length, out);
    out += '}';
  }
  out += ']';
  if (summary.gap_count > summary.gaps.size())
    append_member(R"(,"gap_count":)", summary.gap_count, out);
}

void append_side(side s, const endpoint& end, const side_summary& summary,
                 const index_files::stream& file, std::string& out) {
  append_member(s == side::client ? R"(,"client":{"address":)" : R"(,"server":{"address":)",
                end.address, out);
  append_member(R"(,"port":)", end.port, out);
  append_member(R"(,"packets":)", summary.packets, out);
  append_member(R"(,"bytes":)", summary.bytes, out);
  append_member(R"(,"missing":)", summary.missing, out);
  if (!file.file.empty()) append_member(R"(,"file":)", file.file, out);
  if (!file.error.empty()) {
    append_member(R"(,"saved":)", file.saved, out);
    append_member(R"(,"error":)", file.error, out);
  }
  if (summary.gap_count != 0) append_gaps(summary, out);
  append_unless_zero(R"(,"duplicate":)", summary.duplicate, out);
  append_unless_zero(R"(,"out_of_order":)", summary.out_of_order, out);
  append_unless_zero(R"(,"conflicting":)", summary.conflicting, out);
  append_unless_zero(R"(,"out_of_window":)", summary.out_of_window, out);
  append_unless_zero(R"(,"skipped":)", summary.skipped, out);
  out += '}';
}

} // namespace

void append_index_line(const session_info& info, const session_summary& summary,
                       const index_files& files, std::string& out) {
  out += "{\"id\":\"";
  append_hex(info.id, out);
  out += "\",\"community_id\":\"";
  append_community_id(info.client, info.server, 6, out);
  out += "\",\"proto\":\"tcp\",\"state\":\"";
  out += to_string(summary.state);
  out += info.midstream ? "\",\"midstream\":true" : "\",\"midstream\":false";
  out += ",\"start\":\"";
  append_time(info.start, out);
  out += "\",\"end\":\"";
  append_time(summary.end, out);
  out += '"';
  if (!info.encapsulation.empty()) append_encapsulation(info.encapsulation, out);
  if (!summary.failure.empty()) append_member(R"(,"error":)", summary.failure, out);
  for (const auto s : both_sides)
    append_side(s, info.end_of(s), summary[s], files.streams[index(s)], out);
  out += "}\n";
}

} // namespace weir
