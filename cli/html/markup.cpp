// SPDX-License-Identifier: MIT
#include "cli/html/markup.h"

#include <cmath>

#include "cli/formatted.h"
#include "report/escape.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string in_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const std::string_view entity = entity_of(c);
    safe.append(entity.empty() ? std::string_view(&c, 1) : entity);
  }
  return safe;
}

std::string name_in_html(std::string_view name) {
  return in_html(escaped(name, Escape::kTerminal).view());
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string bytes_text(std::uint64_t bytes) { return std::string(human_bytes(bytes).view()); }

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "–";
  return formatted("{}%", percent(basis_points(part, whole)).view());
}

std::string decimal(double number) {
  std::string text = formatted("{:.2f}", std::isfinite(number) ? number : 0.0);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string marked_advice(std::string_view sentence) {
  constexpr std::string_view kPrefix = "BUFPOOL_";
  std::string marked;
  for (std::size_t at = sentence.find(kPrefix); at != std::string_view::npos;
       at = sentence.find(kPrefix)) {
    const std::size_t end = std::min(sentence.find_first_of(" ;:)", at), sentence.size());
    std::string_view variable = sentence.substr(at, end - at);
    if (variable.ends_with(',')) variable.remove_suffix(1);
    marked += in_html(sentence.substr(0, at)) + "<code>" + in_html(variable) + "</code>";
    sentence.remove_prefix(at + variable.size());
  }
  return marked + in_html(sentence);
}

}  // namespace bufpool
