// SPDX-License-Identifier: MIT
// The report as a page of HTML.
#pragma once

#include <string>
#include <vector>

#include "cli/figures/sample.h"

namespace bufpool {

// Returns a file of HTML about one process, whose samples these are, in their order. There is at
// least one. The figures are those of the last one, and the curves have all of them.
[[nodiscard]] std::string html_page(const std::vector<Sample>& samples);

}  // namespace bufpool
