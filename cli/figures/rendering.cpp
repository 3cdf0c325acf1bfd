// SPDX-License-Identifier: MIT
#include "cli/figures/rendering.h"

#include <algorithm>

#include "cli/formatted.h"
#include "cli/profile/profile_forms.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

// The command is another process's word: in a table it is quoted.
std::string quoted(std::string_view text) {
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + "\"";
}

// The text has a newline at its end, and none inside a string.
std::string in_one_line(std::string text) {
  text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void add_rows(std::string& out, const Sample& sample) {
  for (const ClassSnapshot& row : sample.snapshot.classes) {
    if (!is_live(row)) continue;
    out += formatted("{},{},{},{},{},{}", sample.time_ms, sample.uptime_ms, sample.snapshot.pid,
                     quoted(sample.command), class_name(row.buffer_bytes).view(), row.buffer_bytes);
    for (const auto& figure : kClassFigures) out += formatted(",{}", row.*figure.value);
    out += '\n';
  }
}

}  // namespace

std::string rendered(const Sample& sample, ReportForm form) {
  std::string text;
  auto add = [&text](std::string_view line) noexcept { text.append(line).append("\n"); };
  render(sample.snapshot, sample.context(), form, add);
  return text;
}

std::string json_line(const Sample& sample) {
  return in_one_line(rendered(sample, ReportForm::kJson));
}

std::string csv(const std::vector<Sample>& samples) {
  std::string text = "time_ms,uptime_ms,pid,command,size,buffer_bytes";
  for (const auto& figure : kClassFigures) text += formatted(",{}", figure.name);
  text += '\n';
  for (const Sample& sample : samples) add_rows(text, sample);
  return text;
}

std::string recording_line(const Sample& sample) {
  std::string profile;
  if (sample.profile) profile = ", \"profile\": " + in_one_line(profile_json(*sample.profile));
  return formatted("{{\"time_ms\": {}, \"report\": {}{}}}\n", sample.time_ms, json_line(sample),
                   profile);
}

}  // namespace bufpool
