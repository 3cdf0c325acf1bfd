// SPDX-License-Identifier: MIT
#include "cli/texts/table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/formatted.h"

namespace bufpool {

Table::Table(std::vector<Heading> headings) : headings_(std::move(headings)) {
  for (const Heading& heading : headings_) {
    widths_.push_back(std::max(heading.text.size(), heading.least_width));
  }
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
  rows_.push_back(std::move(cells));
}

void Table::keep_within(std::size_t characters) {
  std::size_t fitting = 0;
  std::size_t end = 0;
  while (fitting < widths_.size() && end + widths_[fitting] <= characters) {
    end += widths_[fitting++] + 2;
  }
  headings_.resize(fitting);
  widths_.resize(fitting);
  for (std::vector<std::string>& row : rows_) row.resize(fitting);
}

std::string Table::line_of(const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string filling(widths_[i] - std::min(widths_[i], cells[i].size()), ' ');
    if (i > 0) line += "  ";
    if (headings_[i].align == Align::kRight) line += filling;
    line += cells[i];
    if (headings_[i].align == Align::kLeft && i + 1 < cells.size()) line += filling;
  }
  return line;
}

std::string Table::heading_line() const {
  std::vector<std::string> cells;
  cells.reserve(headings_.size());
  for (const Heading& heading : headings_) cells.emplace_back(heading.text);
  return line_of(cells);
}

std::string Table::row_line(std::size_t row) const { return line_of(rows_[row]); }

void Table::print() const {
  print_out("{}\n", bold(heading_line()));
  for (std::size_t i = 0; i < rows_.size(); ++i) print_out("{}\n", row_line(i));
}

bool has_colours() {
  const char* const none = std::getenv("NO_COLOR");
  return (none == nullptr || *none == '\0') && isatty(STDOUT_FILENO) == 1;
}

std::string bold(std::string_view text) {
  return has_colours() ? formatted("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

}  // namespace bufpool
