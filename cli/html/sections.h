// SPDX-License-Identifier: MIT
// The parts of the page. Each returns an element, or nothing where there is nothing to show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/figures/sample.h"

namespace bufpool {

// Returns a card with a heading, a sentence below it, and what it shows. A wide one takes the whole
// width of the page.
enum class Width : bool { kHalf, kWhole };
[[nodiscard]] std::string card(Width width, std::string_view heading, std::string_view sentence,
                               std::string_view content);

// About one process, of which there is at least one sample.
// Resident, in use and idle: over time, or as they are where there is one sample.
[[nodiscard]] std::string memory_section(const std::vector<Sample>& samples);
// Misses over time. Nothing: there is one sample.
[[nodiscard]] std::string traffic_section(const std::vector<Sample>& samples);
// By which calls buffers are held, and for how long. Nothing: there are no samples of that.
[[nodiscard]] std::string holders_section(const std::vector<Sample>& samples);
// What is not a class's: what was given back, and what was passed on.
[[nodiscard]] std::string facts_section(const Sample& sample);

// Whether a class, or the sum of all, has a hit rate that stands out: it is under 95%. A few misses
// cost nothing, whatever their share is.
[[nodiscard]] bool has_low_hit_rate(const ClassSnapshot& row);

// About the classes that are in use.
[[nodiscard]] std::string hit_rate_section(const Snapshot& snapshot);
[[nodiscard]] std::string misses_section(const Snapshot& snapshot);
// What was asked for and granted, against the borders of the classes: by size where sizes were
// sampled, and else by class.
[[nodiscard]] std::string sizes_section(const Sample& sample);
[[nodiscard]] std::string table_section(const Snapshot& snapshot);

}  // namespace bufpool
