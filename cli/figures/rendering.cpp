// SPDX-License-Identifier: MIT
#include "cli/figures/rendering.h"

#include "cli/formatted.h"
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
  std::string text = rendered(sample, ReportForm::kJson);
  text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

std::string csv(const std::vector<Sample>& samples) {
  std::string text = "time_ms,uptime_ms,pid,command,size,buffer_bytes";
  for (const auto& figure : kClassFigures) text += formatted(",{}", figure.name);
  text += '\n';
  for (const Sample& sample : samples) add_rows(text, sample);
  return text;
}

std::string recording_line(const Sample& sample) {
  return formatted("{{\"time_ms\": {}, \"report\": {}}}\n", sample.time_ms, json_line(sample));
}

}  // namespace bufpool
