#include <weir/net/output/name_template_parser.hpp>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include <weir/net/output/text.hpp>

namespace weir {

namespace {

using field = name_template::field;
using part = name_template::part;

struct named_field {
  std::string_view name;
  field what;
};

constexpr named_field fields[] = {
    {"id", field::id},
    {"community_id", field::community_id},
    {"client", field::client},
    {"client_port", field::client_port},
    {"server", field::server},
    {"server_port", field::server_port},
    {"side", field::side},
    {"source", field::source},
    {"source_port", field::source_port},
    {"destination", field::destination},
    {"destination_port", field::destination_port},
};

/// The most bytes that a field's value takes.
constexpr std::size_t longest(field what) noexcept {
  switch (what) {
  case field::literal: return 0;
  case field::id: return 16;
  case field::community_id: return 30;
  case field::client:
  case field::server:
  case field::source:
  case field::destination: return 39;
  case field::client_port:
  case field::server_port:
  case field::source_port:
  case field::destination_port: return 5;
  case field::side: return 6;
  case field::year: return 4;
  case field::month:
  case field::day:
  case field::hour:
  case field::minute:
  case field::second: return 2;
  case field::day_of_year:
  case field::milliseconds: return 3;
  case field::microseconds: return 6;
  case field::nanoseconds: return 9;
  case field::epoch_seconds: return 20;
  }
  return 0;
}

std::string known_fields() {
  std::string list = "{start}, {start:%Y-%m-%d}";
  for (const auto& f : fields)
    list += fmt::format(", {{{}}}", f.name);
  return list;
}

class parser {
public:
  explicit parser(std::string_view text) : text_(text) {}

  result<std::vector<part>> run() {
    while (!error_ && at_ < text_.size())
      step();
    if (!error_) end_component();
    if (!error_ && name_size_ > name_template::max_name)
      fail(0, fmt::format("names could take more than {} bytes", name_template::max_name));
    if (error_) return tl::unexpected{std::move(*error_)};
    return std::move(parts_);
  }

private:
  void step() {
    const char c = text_[at_];
    const bool doubled = at_ + 1 < text_.size() && text_[at_ + 1] == c;
    if (c == '{' && !doubled) {
      field_in_braces();
    } else if (c == '}' && !doubled) {
      fail(at_, "`}` without `{`; a brace itself is written `}}`");
    } else {
      literal_at(at_);
      if (c == '{' || c == '}') ++at_;
    }
  }

  void field_in_braces() {
    const auto begin = at_;
    const auto end = text_.find('}', begin);
    if (end == text_.npos) return fail(begin, "`{` without `}`; a brace itself is written `{{`");
    const auto inside = text_.substr(begin + 1, end - begin - 1);
    const auto colon = inside.find(':');
    const auto name = inside.substr(0, colon);
    const auto known = std::ranges::find(fields, name, &named_field::name);
    if (name == "start") {
      const std::string_view format = "%Y%m%dT%H%M%S.%6f";
      at_ = begin + 7;
      if (colon == inside.npos)
        default_time(format);
      else
        time_until(end);
    } else if (known == std::end(fields)) {
      return fail(begin,
                  fmt::format("unknown field `{{{}}}`; the fields are {}", name, known_fields()));
    } else if (colon != inside.npos) {
      return fail(begin, fmt::format("`{{{}}}` takes no format, only {{start:…}} does", name));
    } else {
      add(known->what);
    }
    at_ = end + 1;
  }

  void default_time(std::string_view format) {
    parser inner{format};
    inner.time_until(format.size());
    for (auto& p : inner.parts_)
      p.what == field::literal ? add_text(p.text) : add(p.what);
  }

  /// An strftime format from `at_` to `end`.
  void time_until(std::size_t end) {
    while (!error_ && at_ < end) {
      if (text_[at_] == '%')
        time_conversion(end);
      else
        literal_at(at_, end);
    }
  }

  void time_conversion(std::size_t end) {
    const auto begin = at_++;
    const auto letters = text_.substr(at_, end - at_);
    const auto is = [&](std::string_view conversion) {
      if (!letters.starts_with(conversion)) return false;
      at_ += conversion.size();
      return true;
    };
    if (is("Y")) return add(field::year);
    if (is("m")) return add(field::month);
    if (is("d")) return add(field::day);
    if (is("H")) return add(field::hour);
    if (is("M")) return add(field::minute);
    if (is("S")) return add(field::second);
    if (is("j")) return add(field::day_of_year);
    if (is("s")) return add(field::epoch_seconds);
    if (is("F")) return add_three(field::year, '-', field::month, field::day);
    if (is("T")) return add_three(field::hour, ':', field::minute, field::second);
    if (is("3f")) return add(field::milliseconds);
    if (is("f") || is("6f")) return add(field::microseconds);
    if (is("9f")) return add(field::nanoseconds);
    if (is("%")) return add_text("%");
    fail(begin,
         "unknown time conversion; there are %Y %m %d %H %M %S %j %s %F %T %f %3f %6f %9f %%");
  }

  /// One character of text; `end` is where a multi-byte one has to stop.
  void literal_at(std::size_t at, std::size_t end = std::string_view::npos) {
    const auto rest = text_.substr(at, end == text_.npos ? end : end - at);
    const auto n = utf8_length(rest);
    const auto c = static_cast<unsigned char>(rest[0]);
    if (n == 0) return fail(at, "not UTF-8");
    if (c < 0x20 || c == 0x7f) return fail(at, "control characters have no place in a name");
    if (c == '/') {
      end_component();
      component_ = {.begin = at + 1};
      name_size_ += 1;
      append_text("/");
    } else {
      add_text(rest.substr(0, n));
    }
    at_ = at + n;
  }

  void add(field what) {
    component_.has_field = true;
    grow(longest(what));
    parts_.push_back({what, {}});
  }

  void add_three(field a, char separator, field b, field c) {
    const std::string_view text{&separator, 1};
    add(a);
    add_text(text);
    add(b);
    add_text(text);
    add(c);
  }

  void add_text(std::string_view text) {
    component_.text += text;
    grow(text.size());
    append_text(text);
  }

  void append_text(std::string_view text) {
    if (parts_.empty() || parts_.back().what != field::literal)
      parts_.push_back({field::literal, {}});
    parts_.back().text += text;
  }

  void grow(std::size_t n) noexcept {
    component_.size += n;
    name_size_ += n;
  }

  /// A value is never empty and never consists of dots, so only components of text alone can be
  /// dangerous.
  void end_component() {
    const auto& c = component_;
    if (error_) return;
    if (c.size == 0 && text_.starts_with('/'))
      return fail(0, "names are relative to the output folder, without a leading `/`");
    if (c.size == 0) return fail(c.begin, "an empty name");
    if (!c.has_field && (c.text == "." || c.text == ".."))
      return fail(c.begin, fmt::format("`{}` could leave the output folder", c.text));
    if (c.size > name_template::max_component)
      fail(c.begin, fmt::format("this part of the name could take more than {} bytes",
                                name_template::max_component));
  }

  void fail(std::size_t at, std::string_view why) {
    if (error_) return;
    error_ = error{errc::bad_template, fmt::format("name template `{}`", printable(text_)),
                   fmt::format("at character {}: {}", at + 1, why)};
  }

  static std::string printable(std::string_view text) {
    std::string out;
    append_json_string(text, out);
    return out.substr(1, out.size() - 2);
  }

  struct component {
    std::size_t begin = 0;
    std::size_t size = 0;
    bool has_field = false;
    std::string text{};
  };

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<part> parts_;
  component component_;
  std::size_t name_size_ = 0;
  std::optional<error> error_;
};

} // namespace

result<std::vector<part>> parse_name_parts(std::string_view text) { return parser{text}.run(); }

} // namespace weir
