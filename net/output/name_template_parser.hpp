/// Reads a name template's text into its parts, and proves that every name they can make is safe.
#pragma once

#include <string_view>
#include <vector>

#include <weir/net/output/name_template.hpp>

namespace weir {

result<std::vector<name_template::part>> parse_name_parts(std::string_view text);

} // namespace weir
