// SPDX-License-Identifier: MIT
// Sizes, times, numbers and flags as the user writes them, the same way as in BUFPOOL_ variables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bufpool {

// Reads a number without a sign. Returns false if the text is none or does not fit.
[[nodiscard]] bool parse_number(std::string_view text, std::uint64_t& number);
// Reads one of the words for on and off: 1, true, yes, on, 0, false, no, off (any case).
[[nodiscard]] bool parse_flag(std::string_view text, bool& is_on);
// Reads a size such as 64K, 1.5M, 1GiB or 1000 (1024-based, any case), in bytes.
[[nodiscard]] bool parse_size(std::string_view text, std::uint64_t& bytes);
// Reads a time such as 500ms, 2s, 0.5s or 1m, in milliseconds. Without a unit it is in seconds.
[[nodiscard]] bool parse_duration(std::string_view text, std::uint64_t& milliseconds);

// The shortest text that parse_size() and parse_duration() read as the same.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
[[nodiscard]] std::string duration_text(std::uint64_t milliseconds);

// Bytes for a column: 0, 640, 12.3K, 1.5G. It has one decimal below 100 of a unit.
[[nodiscard]] std::string short_bytes(std::uint64_t bytes);
// A count for a column: 0, 999, 12.3k, 4.5M.
[[nodiscard]] std::string short_count(std::uint64_t count);
// A time for a column, in its two largest units: 5s, 3m12s, 2h05m, 4d03h.
[[nodiscard]] std::string short_time(std::uint64_t milliseconds);
// `part` of `whole` in percent with one decimal; "-" where `whole` is 0.
[[nodiscard]] std::string percent_text(std::uint64_t part, std::uint64_t whole);

}  // namespace bufpool
