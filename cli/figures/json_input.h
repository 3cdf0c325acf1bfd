// SPDX-License-Identifier: MIT
// Reads reports and recordings. json_input.cpp is the only file that knows nlohmann's library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/figures/sample.h"

namespace bufpool {

// Returns the samples in the text of a file: a JSON report, or a recording with a JSON object in
// each line. A last line that was cut short is left out: the recorder was killed in the middle. It
// throws a CommandError that names `path` if the text is neither.
[[nodiscard]] std::vector<Sample> samples_in_json(const std::string& path, std::string_view text);

}  // namespace bufpool
