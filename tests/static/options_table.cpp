// SPDX-License-Identifier: MIT
// Prints the table of variables for README.md, from the library's own list of options.
// `UPDATE_GOLDEN=1 tests/static/readme_options.sh LIBRARY .` puts it there.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "pool/options/options.h"

namespace bufpool {
namespace {

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

// A count whose bound is the largest number has none.
std::string span(const OptionInfo& row) {
  if (row.highest.empty() || row.highest == "18446744073709551615") {
    const bool any = row.lowest.empty() || row.lowest == "0";
    return any ? "" : fmt::format(", at least `{}`", row.lowest);
  }
  return fmt::format(", `{}` to `{}`", row.lowest.empty() ? "0" : row.lowest, row.highest);
}

// "a|b|c" as `a`, `b` or `c`.
std::string words(std::string_view list) {
  std::string text;
  for (;;) {
    const std::size_t end = list.find('|');
    text += code(list.substr(0, end));
    if (end == std::string_view::npos) return text;
    list.remove_prefix(end + 1);
    text += list.find('|') == std::string_view::npos ? " or " : ", ";
  }
}

std::string allowed(const OptionInfo& row) {
  switch (row.kind) {
    case OptionKind::kFlag:
      return "`0` or `1`";
    case OptionKind::kCount:
      return fmt::format("a number{}", span(row));
    case OptionKind::kBytes:
      return fmt::format("a size{}", span(row));
    case OptionKind::kAutoBytes:
      return fmt::format("`auto`, or a size{}", span(row));
    case OptionKind::kShare:
      return fmt::format("`auto`, a size{}, or `0%` to `100%`", span(row));
    case OptionKind::kDuration:
      return fmt::format("a duration{}", span(row));
    case OptionKind::kChoice:
      return words(row.highest);
    case OptionKind::kSizes:
      return fmt::format("sizes with commas{}", span(row));
    case OptionKind::kWarmup:
      return fmt::format("`SIZE:COUNT` with commas, sizes{}", span(row));
    case OptionKind::kText:
      return row.highest.empty() ? "`stderr`, `off` or a file name" : words(row.highest);
  }
  return "";
}

// A bar within a cell would end it.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '|') escaped += '\\';
    escaped += character;
  }
  return escaped;
}

void print(const OptionInfo& row) {
  const std::string default_value = row.default_value.empty() ? "none" : code(row.default_value);
  fmt::print("| `BUFPOOL_{}` | {} | {} | {} |\n", row.name, cell(default_value), cell(allowed(row)),
             cell(row.sentence));
}

}  // namespace
}  // namespace bufpool

int main() {
  fmt::print("| Variable | Default | Allowed | What it does |\n|---|---|---|---|\n");
  for (const bufpool::OptionInfo& row : bufpool::option_list()) bufpool::print(row);
}
