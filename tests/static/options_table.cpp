// SPDX-License-Identifier: MIT
// Prints the variables from the library's own list of options: the table for README.md, or, with
// the argument `man`, the list for the manual page. `UPDATE_GOLDEN=1
// tests/static/readme_options.sh LIBRARY .` puts them there.
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
    case OptionKind::kAutoCount:
      return fmt::format("`auto`, or a number{}", span(row));
    case OptionKind::kBytes:
      return fmt::format("a size{}", span(row));
    case OptionKind::kAutoBytes:
      return fmt::format("`auto`, or a size{}", span(row));
    case OptionKind::kOffBytes:
      return fmt::format("`off`, or a size{}", span(row));
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
    case OptionKind::kNames:
      return "names with commas; `*` stands for any characters, `?` for one";
    case OptionKind::kPlace:
      return "`auto`, `on`, `off` or `/FOLDER`";
    case OptionKind::kText:
      return "`stderr`, `off` or a file name";
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

std::string default_of(const OptionInfo& row) {
  return row.default_value.empty() ? "none" : code(row.default_value);
}

void print_row(const OptionInfo& row) {
  fmt::print("| `BUFPOOL_{}` | {} | {} | {} |\n", row.name, cell(default_of(row)),
             cell(allowed(row)), cell(row.sentence));
}

// What stands between backticks is bold in a manual page. An apostrophe would become a quote.
std::string roff(std::string_view text) {
  std::string page;
  bool bold = false;
  for (const char character : text) {
    if (character == '`') {
      bold = !bold;
      page += bold ? "\\fB" : "\\fP";
    } else if (character == '-' || character == '\'') {
      page += character == '-' ? "\\-" : "\\(aq";
    } else {
      page += character;
    }
  }
  return page;
}

void print_entry(const OptionInfo& row) {
  fmt::print(".TP\n.B BUFPOOL_{}\n{}\n.br\nAllowed: {}. Default: {}.\n", row.name,
             roff(row.sentence), roff(allowed(row)), roff(default_of(row)));
}

}  // namespace
}  // namespace bufpool

int main(int count, char** arguments) {
  const bool manual = count > 1 && std::string_view(arguments[1]) == "man";
  if (!manual) fmt::print("| Variable | Default | Allowed | What it does |\n|---|---|---|---|\n");
  for (const bufpool::OptionInfo& row : bufpool::option_list()) {
    manual ? bufpool::print_entry(row) : bufpool::print_row(row);
  }
}
