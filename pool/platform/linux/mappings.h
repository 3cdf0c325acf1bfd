// SPDX-License-Identifier: MIT
// Tells what the kernel has as one mapping.
#pragma once

#include <cstddef>

namespace bufpool::platform {

// Tells whether a range lies in one mapping, whose pages may be moved. Pre: the page behind the
// range is mapped.
[[nodiscard]] bool in_one_mapping(void* start, std::size_t bytes) noexcept;

}  // namespace bufpool::platform
