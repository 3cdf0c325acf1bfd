// SPDX-License-Identifier: MIT
// A sample in the forms of the report, and in those that only the command has.
#pragma once

#include <string>
#include <vector>

#include "cli/figures/sample.h"

namespace bufpool {

// Returns the report in the form, with a newline behind each line.
[[nodiscard]] std::string rendered(const Sample& sample, ReportForm form);
// Returns the JSON report in one line, without a newline.
[[nodiscard]] std::string json_line(const Sample& sample);
// Returns a table with a row for each sample and class in use, and a line of headings.
[[nodiscard]] std::string csv(const std::vector<Sample>& samples);
// Returns the line of a recording for the sample, with a newline. It has the profile that there is.
[[nodiscard]] std::string recording_line(const Sample& sample);

}  // namespace bufpool
