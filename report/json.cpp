// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pool/options/limits.h"
#include "report/escape.h"
#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/forms.h"
#include "report/units.h"

namespace bufpool {
namespace {

// Writes one JSON object over as many lines as it needs. A line ends between two values only.
class JsonLines {
 public:
  explicit JsonLines(LineSink sink) noexcept : sink_(sink) {}

  // Opens an object or an array. An element of an array has no key.
  void open(char bracket) noexcept { start(Line{}.add("{}", bracket)); }
  void open(std::string_view key, char bracket) noexcept {
    start(Line{}.add("\"{}\": {}", key, bracket));
  }

  void close(char bracket) noexcept {
    first_ = false;
    place(Line{}.add("{}", bracket), "");
  }

  // Adds a value. The caller has escaped the text.
  void text(std::string_view text) noexcept { value(Line{}.add("\"{}\"", text)); }
  void text(std::string_view key, std::string_view text) noexcept {
    value(Line{}.add("\"{}\": \"{}\"", key, text));
  }
  void number(std::string_view key, std::uint64_t number) noexcept {
    value(Line{}.add("\"{}\": {}", key, number));
  }

  // Lets the next item start a line.
  void break_line() noexcept { break_ = true; }

  void finish() noexcept { flush(); }

 private:
  void start(const Line& opening) noexcept {
    value(opening);
    first_ = true;
  }

  void value(const Line& value) noexcept {
    if (!first_) line_.append(",");
    place(value, first_ ? "" : " ");
    first_ = false;
  }

  void place(const Line& token, std::string_view space) noexcept {
    constexpr std::size_t kComma = 1;  // may have to follow on the same line
    if (break_ || space.size() + token.view().size() + kComma > line_.room()) {
      flush();
      space = "";
    }
    line_.append(space).append(token.view());
    break_ = false;
  }

  void flush() noexcept {
    sink_(line_.view());
    line_.clear();
  }

  LineSink sink_;
  Line line_;
  bool first_ = true;  // nothing yet within the innermost bracket
  bool break_ = false;
};

// Writes a figure. Its key has its unit, as has its metric in Prometheus.
template <typename Row>
void put_figure(JsonLines& json, const Figure<Row>& figure, const Row& row) noexcept {
  FixedText<48> key;
  key.append(figure.name);
  if (!names_its_unit(figure)) key.append("_").append(figure.unit);
  json.number(key.view(), row.*figure.value);
}

void put_process(JsonLines& json, const Snapshot& snapshot, const ReportContext& context) noexcept {
  constexpr std::uint64_t kSchema = 2;
  json.number("schema", kSchema);
  json.number("pid", snapshot.pid);
  json.text("command", escaped(context.command, Escape::kJson).view());
  json.break_line();
  json.text("version", escaped(context.version, Escape::kJson).view());
  json.text("mode", mode_word(snapshot.mode));
  json.number("uptime_ms", context.uptime_ms);
  json.number("cpu_cache_bytes", context.cpu_cache_bytes);
  for (const auto& figure : kProcessFigures) {
    json.break_line();
    put_figure(json, figure, snapshot);
  }
}

void put_class(JsonLines& json, const ClassSnapshot& row) noexcept {
  json.break_line();
  json.open('{');
  json.text("size", class_name(row.buffer_bytes).view());
  json.number("buffer_bytes", row.buffer_bytes);
  for (const auto& figure : kClassFigures) put_figure(json, figure, row);
  json.close('}');
}

void put_classes(JsonLines& json, const Snapshot& snapshot) noexcept {
  json.break_line();
  json.open("classes", '[');
  for (const auto& row : snapshot.classes) {
    if (is_live(row)) put_class(json, row);
  }
  json.close(']');
}

bool all_classes_serve(const Snapshot& snapshot) noexcept {
  std::size_t count = 0;
  for (const auto& row : snapshot.classes) count += row.buffer_bytes != 0 ? 1 : 0;
  return count == 0 || built_in_bytes(count) == kMaxSize + kHeaderRoom;
}

// The classes that serve, used or not, unless these are all that there are.
void put_chosen(JsonLines& json, const Snapshot& snapshot) noexcept {
  json.break_line();
  json.open("chosen_classes", '[');
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes == 0 || all_classes_serve(snapshot)) continue;
    json.text(class_name(row.buffer_bytes).view());
  }
  json.close(']');
}

// The misses by the size asked for, where there were any.
void put_sizes(JsonLines& json, const Snapshot& snapshot) noexcept {
  json.break_line();
  json.open("sizes", '[');
  for (std::size_t i = 1; i < snapshot.sizes.size(); ++i) {
    if (snapshot.sizes[i] == 0) continue;
    json.break_line();
    json.open('{');
    json.text("size", class_name(built_in_bytes(i)).view());
    json.number("sampled_misses", snapshot.sizes[i]);
    json.close('}');
  }
  json.close(']');
}

void put_advice(JsonLines& json, const Snapshot& snapshot, const ReportContext& context) noexcept {
  json.break_line();
  json.open("advice", '[');
  auto put_line = [&json](std::string_view advice) noexcept {
    json.break_line();
    json.text(advice);
  };
  advise(snapshot, context, put_line);
  json.close(']');
}

}  // namespace

void render_json(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  JsonLines json(sink);
  json.open('{');
  put_process(json, snapshot, context);
  put_classes(json, snapshot);
  put_chosen(json, snapshot);
  put_sizes(json, snapshot);
  put_advice(json, snapshot, context);
  json.close('}');
  json.finish();
}

}  // namespace bufpool
