/// The summary of a run, for people and for programs.
#pragma once

#include <string>

#include <weir/actors/pipeline.hpp>

namespace weir::app {

/// A few lines of text, each ended.
std::string summary_text(const pipeline_report& report, double seconds);

/// One JSON object on one line, without the line's end.
std::string summary_json(const pipeline_report& report, double seconds);

} // namespace weir::app
