// SPDX-License-Identifier: MIT
// Reads Prometheus text format 0.0.4, and is strict.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bufpool {

// Reads all lines. It throws std::runtime_error at the first line that is not right.
class PrometheusText {
 public:
  using Labels = std::map<std::string, std::string>;
  struct Family {
    std::string help;
    std::string type;
    std::map<Labels, std::string> samples;
  };

  explicit PrometheusText(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      require(end != std::string_view::npos, "last line has no newline", text);
      line_ = text.substr(0, end);
      text.remove_prefix(end + 1);
      read_line();
    }
  }

  std::map<std::string, Family> families;

 private:
  static void require(bool right, const char* what, std::string_view line) {
    if (!right) throw std::runtime_error(std::string(what) + ": " + std::string(line));
  }

  void read_line() {
    rest_ = line_;
    if (take("# HELP ")) return read_help();
    if (take("# TYPE ")) return read_type();
    read_sample();
  }

  void read_help() {
    current_ = take_name();
    require(take(" ") && !rest_.empty(), "HELP without text", line_);
    require(families.count(current_) == 0, "family told twice", line_);
    families[current_].help = rest_;
  }

  void read_type() {
    require(take_name() == current_ && take(" "), "TYPE does not follow its HELP", line_);
    Family& family = families[current_];
    require(family.type.empty(), "second TYPE", line_);
    family.type = rest_;
    require(rest_ == "counter" || rest_ == "gauge", "unknown type", line_);
    require(current_.ends_with("_total") == (rest_ == "counter"), "_total is for counters", line_);
  }

  void read_sample() {
    require(take_name() == current_, "sample outside its family", line_);
    Family& family = families[current_];
    require(!family.type.empty(), "sample before TYPE", line_);
    require(take("{"), "no labels", line_);
    Labels labels;
    do {
      const std::string name = take_name();
      require(take("=\""), "label without value", line_);
      require(labels.emplace(name, take_value()).second, "label twice", line_);
    } while (take(","));
    require(take("} "), "labels do not end", line_);
    require(!rest_.empty() && rest_.find_first_not_of("0123456789") == rest_.npos, "no number",
            line_);
    require(family.samples.emplace(labels, rest_).second, "series twice", line_);
  }

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  std::string take_name() {
    constexpr std::string_view kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const std::size_t length = std::min(rest_.find_first_not_of(kLetters), rest_.size());
    require(length != 0 && (rest_[0] < '0' || rest_[0] > '9'), "not a name", line_);
    const std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  // Reads the inside of a label value and the quote that ends it.
  std::string take_value() {
    std::string value;
    while (!take("\"")) {
      require(!rest_.empty(), "label value does not end", line_);
      if (take("\\n")) {
        value += '\n';
        continue;
      }
      if (take("\\")) require(rest_.starts_with("\\") || rest_.starts_with("\""), "escape", line_);
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return value;
  }

  std::string current_;
  std::string_view line_;
  std::string_view rest_;
};

}  // namespace bufpool
