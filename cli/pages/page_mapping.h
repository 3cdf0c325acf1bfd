// SPDX-License-Identifier: MIT
// Where a process has its statistics page mapped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bufpool {

struct PageMapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::string path;  // of a file in a folder (BUFPOOL_STATS); empty: a file in memory
};

// Returns the page's mapping in the text of /proc/PID/maps. Nothing: there is none.
[[nodiscard]] std::optional<PageMapping> find_page_mapping(std::string_view maps);

}  // namespace bufpool
