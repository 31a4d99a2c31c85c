/// Names of stream files, from a template with fmt-style fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weir/net/error.hpp>
#include <weir/net/session/session_info.hpp>

namespace weir {

/// Fields: {id} {community_id} {start} {start:STRFTIME} {client} {client_port} {server}
/// {server_port} {side} {source} {source_port} {destination} {destination_port}; `{{` and `}}` are
/// braces. A `/` in the template makes folders; values never contain one, and no name leaves the
/// output folder.
///
/// STRFTIME has %Y %m %d %H %M %S %j %s %F %T as in strftime(3), in UTC, and fractions of the
/// second: %f (microseconds), %3f, %6f, %9f; {start} alone is {start:%Y%m%dT%H%M%S.%6f}. Colons of
/// IPv6 addresses become `-`; a Community ID is written `1-` with base64url's letters (RFC 4648 5).
///
/// Every name that a template can make is known to be safe when it is parsed, so rendering checks
/// nothing and cannot fail. Immutable: may be used from several threads.
class name_template {
public:
  static constexpr std::string_view default_text =
      "{start:%Y%m%dT%H%M%S.%6f}-{client}.{client_port}-{server}.{server_port}.{side}";

  /// A component of a name (between slashes) and a whole name never take more bytes than this.
  static constexpr std::size_t max_component = 200;
  static constexpr std::size_t max_name = 1000;

  /// Refuses what could leave the folder (a leading `/`, `.` and `..`), empty components, control
  /// characters, text that is not UTF-8, and names that could grow too long.
  static result<name_template> parse(std::string_view text);

  /// Appends the name, relative to the output folder. `distinction` goes before its extension: the
  /// end of the template from the last `.` on, where only text and {side} follow.
  void render(const session_info& info, side s, std::string& out,
              std::string_view distinction = {}) const;

  /// The two halves of `render`: what all names of a session begin with, and the rest. With the
  /// default template the second half is no more than the side.
  void render_shared(const session_info& info, std::string& out) const;
  void render_rest(const session_info& info, side s, std::string& out,
                   std::string_view distinction = {}) const;

  /// Whether {id} occurs, so that sessions' names are unique by themselves.
  bool has_id() const noexcept { return has_id_; }

  /// Whether the two streams of a session have different names.
  bool tells_sides() const noexcept { return tells_sides_; }

  enum class field : std::uint8_t {
    literal,
    id,
    community_id,
    client,
    client_port,
    server,
    server_port,
    side,
    source,
    source_port,
    destination,
    destination_port,
    year,
    month,
    day,
    hour,
    minute,
    second,
    day_of_year,
    epoch_seconds,
    milliseconds,
    microseconds,
    nanoseconds,
  };

  struct part {
    field what;
    /// For literals.
    std::string text;
  };

private:
  explicit name_template(std::vector<part> parts);

  void render_parts(std::size_t begin, std::size_t end, const session_info& info, side s,
                    std::string& out) const;

  std::vector<part> parts_;
  /// The parts before this are the same for both sides, and no distinction goes between them.
  std::size_t shared_;
  /// Index of the part that the extension begins with.
  std::size_t extension_;
  bool has_id_;
  bool tells_sides_;
};

} // namespace weir
