// SPDX-License-Identifier: MIT
// Writes texts, numbers and elements of HTML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bufpool {

// Returns the text, which is UTF-8, for the inside of an element or a quoted attribute.
[[nodiscard]] std::string in_html(std::string_view text);
// The same of a name that others chose, whatever its bytes are. A very long one is cut.
[[nodiscard]] std::string name_in_html(std::string_view name);

// Returns a count with commas between thousands: 1,234,567.
[[nodiscard]] std::string count_text(std::uint64_t count);
// Returns bytes as the other forms of the report do: 12.3 MiB.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
// Returns a part in percent with two decimals, such as 99.63%, and a dash where there is no whole.
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole);

// Returns a number of a picture with two decimals at most, and no zeros behind them.
[[nodiscard]] std::string decimal(double number);

// Returns a sentence of advice, in which the variable to set is marked.
[[nodiscard]] std::string marked_advice(std::string_view sentence);

}  // namespace bufpool
