// SPDX-License-Identifier: MIT
// Rows of text in columns, for a terminal or a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bufpool {

enum class Align : std::uint8_t { kLeft, kRight };

struct Heading {
  std::string_view text;
  Align align = Align::kRight;
  std::size_t least_width = 0;
};

class Table {
 public:
  // Begins a table without rows.
  explicit Table(std::vector<Heading> headings);

  // Adds a row. It has as many cells as there are headings.
  void add(std::vector<std::string> cells);

  // Leaves the last columns out that do not fit into a line of so many characters.
  void keep_within(std::size_t characters);

  // Returns the line of headings, and that of a row. Columns are as wide as their widest cell; the
  // last one is not filled up.
  [[nodiscard]] std::string heading_line() const;
  [[nodiscard]] std::string row_line(std::size_t row) const;
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

  // Prints it all on stdout. The headings are bold on a terminal, unless NO_COLOR is set.
  void print() const;

 private:
  [[nodiscard]] std::string line_of(const std::vector<std::string>& cells) const;

  std::vector<Heading> headings_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

// Returns the text in bold if stdout is a terminal that may have colours, else as it is.
[[nodiscard]] std::string bold(std::string_view text);
// Whether stdout is a terminal, and NO_COLOR is not set.
[[nodiscard]] bool has_colours();

}  // namespace bufpool
