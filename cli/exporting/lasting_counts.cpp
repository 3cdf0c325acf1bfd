// SPDX-License-Identifier: MIT
#include "cli/exporting/lasting_counts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "cli/figures/rates.h"
#include "cli/formatted.h"
#include "cli/processes/proc_files.h"
#include "report/figures.h"

namespace bufpool {
namespace {

constexpr std::string_view kFirstLine = "bufpool export counts 1";
// Whoever looks at the groups has seen one that is as old. Each container may be a group.
constexpr std::uint64_t kForgottenAfterMs = 3'600'000;
constexpr std::uint64_t kEndedAfterRuns = 4;

std::uint64_t number_in(std::string_view word) {
  std::uint64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

// Adds by how much each counter grew. One that fell a little was read in the middle of a change.
template <typename Row, typename Figures>
void add_growth(Row& sum, const Row& before, const Row& now, const Figures& figures) {
  for (const auto& figure : figures) {
    if (figure.kind != FigureKind::kCounter) continue;
    sum.*figure.value += growth(before.*figure.value, now.*figure.value);
  }
}

// Returns the row of the class, which it may add. Nothing: there is no room for one more.
ClassSnapshot* row_of(Snapshot& snapshot, std::uint64_t buffer_bytes) {
  for (ClassSnapshot& row : snapshot.classes) {
    if (row.buffer_bytes == 0) row.buffer_bytes = buffer_bytes;
    if (row.buffer_bytes == buffer_bytes) return &row;
  }
  return nullptr;
}

void add_growth(Snapshot& sum, Snapshot& before, const Snapshot& now) {
  add_growth(sum, before, now, kProcessFigures);
  for (const ClassSnapshot& row : now.classes) {
    if (!is_live(row)) continue;
    ClassSnapshot* const total = row_of(sum, row.buffer_bytes);
    const ClassSnapshot* const last = row_of(before, row.buffer_bytes);
    if (total != nullptr && last != nullptr) add_growth(*total, *last, row, kClassFigures);
  }
}

template <typename Figures>
std::string names_of(const Figures& figures) {
  std::string names;
  for (const auto& figure : figures) {
    if (figure.kind == FigureKind::kCounter) names.append(" ").append(figure.name);
  }
  return names + "\n";
}

template <typename Row, typename Figures>
std::string values_of(const Row& row, const Figures& figures) {
  std::string values;
  for (const auto& figure : figures) {
    if (figure.kind == FigureKind::kCounter) values += formatted(" {}", row.*figure.value);
  }
  return values + "\n";
}

std::string counts_text(const Snapshot& counts) {
  std::string text = "all" + values_of(counts, kProcessFigures);
  for (const ClassSnapshot& row : counts.classes) {
    if (!is_live(row)) continue;
    text += formatted("class {}", row.buffer_bytes) + values_of(row, kClassFigures);
  }
  return text;
}

// The members of a row that the columns of a text are for; null where this version has none.
template <typename Row>
using Columns = std::vector<std::uint64_t Row::*>;

template <typename Row, typename Figures>
Columns<Row> columns_of(std::string_view names, const Figures& figures) {
  Columns<Row> columns;
  while (!names.empty()) {
    const std::string_view name = take_word(names);
    const auto found = std::find_if(figures.begin(), figures.end(), [name](const auto& figure) {
      return figure.name == name && figure.kind == FigureKind::kCounter;
    });
    columns.push_back(found == figures.end() ? nullptr : found->value);
  }
  return columns;
}

template <typename Row>
void read_values(std::string_view values, const Columns<Row>& columns, Row& row) {
  for (const auto column : columns) {
    const std::uint64_t value = number_in(take_word(values));
    if (column != nullptr) row.*column = value;
  }
}

}  // namespace

// Reads a text line by line. What a line says is about the group or the process before it.
class LastingCountsReader {
 public:
  void read(std::string_view line) {
    const std::string_view word = take_word(line);
    if (word == "columns") {
      columns_ = columns_of<Snapshot>(line, kProcessFigures);
    } else if (word == "class-columns") {
      class_columns_ = columns_of<ClassSnapshot>(line, kClassFigures);
    } else if (word == "group") {
      begin_group(line);
    } else if (word == "process") {
      begin_process(line);
    } else if (counts_ != nullptr && word == "all") {
      read_values(line, columns_, *counts_);
    } else if (counts_ != nullptr && word == "class") {
      read_class(line);
    }
  }

  [[nodiscard]] LastingCounts result() { return std::move(all_); }

 private:
  void begin_group(std::string_view line) {
    LastingCounts::Group group;
    group.seen_ms = number_in(take_word(line));
    group.ended = number_in(take_word(line));
    group.is_new = false;
    labels_ = line;
    counts_ = &all_.groups_.insert_or_assign(labels_, group).first->second.counts;
  }

  void begin_process(std::string_view line) {
    const std::uint64_t pid = number_in(take_word(line));
    const std::uint64_t started_ns = number_in(take_word(line));
    LastingCounts::Member& member = all_.members_[{pid, started_ns}];
    member.labels = labels_;
    member.missed = number_in(take_word(line)) + 1;
    counts_ = &member.counts;
  }

  void read_class(std::string_view line) {
    const std::uint64_t buffer_bytes = number_in(take_word(line));
    ClassSnapshot* const row = buffer_bytes == 0 ? nullptr : row_of(*counts_, buffer_bytes);
    if (row != nullptr) read_values(line, class_columns_, *row);
  }

  LastingCounts all_;
  Columns<Snapshot> columns_;
  Columns<ClassSnapshot> class_columns_;
  std::string labels_;
  Snapshot* counts_ = nullptr;
};

LastingCounts LastingCounts::parse(std::string_view text) {
  LastingCountsReader reader;
  if (take_line(text) != kFirstLine) return {};
  while (!text.empty()) reader.read(take_line(text));
  return reader.result();
}

std::string LastingCounts::text() const {
  std::string text = formatted("{}\ncolumns", kFirstLine) + names_of(kProcessFigures);
  text += "class-columns" + names_of(kClassFigures);
  for (const auto& [labels, group] : groups_) {
    text += formatted("group {} {} {}\n", group.seen_ms, group.ended, labels);
    text += counts_text(group.counts);
    for (const auto& [process, member] : members_) {
      if (member.labels != labels) continue;
      text += formatted("process {} {} {}\n", process.first, process.second, member.missed);
      text += counts_text(member.counts);
    }
  }
  return text;
}

void LastingCounts::show(const std::string& labels, Process process, const Snapshot& now) {
  Group& group = groups_[labels];
  Member& member = members_[process];
  Snapshot nothing{};
  add_growth(group.counts, group.is_new ? nothing : member.counts, now);
  member = {labels, now, 0};
}

void LastingCounts::settle(std::uint64_t now_ms) {
  for (auto it = members_.begin(); it != members_.end();) {
    Group& group = groups_[it->second.labels];
    const bool has_ended = it->second.missed >= kEndedAfterRuns;
    if (has_ended) ++group.ended;
    if (it->second.missed == 0) group.seen_ms = now_ms;
    it = has_ended ? members_.erase(it) : std::next(it);
  }
  std::erase_if(groups_, [now_ms](const auto& entry) {
    return growth(entry.second.seen_ms, now_ms) > kForgottenAfterMs;
  });
}

}  // namespace bufpool
