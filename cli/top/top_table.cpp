// SPDX-License-Identifier: MIT
#include "cli/top/top_table.h"

#include <algorithm>

#include "cli/formatted.h"
#include "cli/pages/process_reader.h"
#include "cli/texts/sizes.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

// The row of the same class a look ago; all zero if the process was not there.
ClassSnapshot class_before(const Sample* before, std::uint64_t buffer_bytes) {
  if (before == nullptr) return {};
  for (const ClassSnapshot& row : before->snapshot.classes) {
    if (row.buffer_bytes == buffer_bytes) return row;
  }
  return {};
}

std::uint64_t sort_value(const ClassSnapshot& row, const ClassSnapshot& before, SortBy by) {
  switch (by) {
    case SortBy::kGets:
      return growth(before.gets, row.gets);
    case SortBy::kMisses:
      return growth(before.misses, row.misses);
    case SortBy::kInUse:
      return in_use_bytes(row);
    case SortBy::kIdle:
    case SortBy::kResident:
      return row.idle;
    case SortBy::kPid:
      break;
  }
  return row.buffer_bytes;
}

}  // namespace

void TopTable::look(pid_t only) {
  before_ = std::move(now_);
  now_.clear();
  ProcessList list;
  if (only == 0) {
    list = list_processes();
  } else if (Found found = find_process(only); found.process) {
    list.processes.push_back(std::move(*found.process));
  }
  forbidden_ = list.forbidden;
  for (const PooledProcess& process : list.processes) {
    Row& row = now_[process.info.pid];
    row.sample = sample_of(process.page, process.info);
    row.sums = sums_of(row.sample.snapshot);
    row.user = user_name(process.info.uid);
    row.unit = unit_of_process(process.info.pid);
  }
}

const Sample* TopTable::find(pid_t pid) const {
  const auto found = now_.find(pid);
  return found == now_.end() ? nullptr : &found->second.sample;
}

std::uint64_t TopTable::rate(pid_t pid, const Row& row, std::uint64_t Sums::*sum) const {
  const auto before = before_.find(pid);
  if (before == before_.end()) return per_second(row.sums.*sum, row.sample.uptime_ms);
  return per_second(growth(before->second.sums.*sum, row.sums.*sum),
                    growth(before->second.sample.time_ms, row.sample.time_ms));
}

std::uint64_t TopTable::sort_value(pid_t pid, const Row& row, SortBy by) const {
  switch (by) {
    case SortBy::kGets:
      return rate(pid, row, &Sums::gets);
    case SortBy::kMisses:
      return rate(pid, row, &Sums::misses);
    case SortBy::kInUse:
      return row.sums.in_use_bytes;
    case SortBy::kIdle:
      return row.sums.idle_bytes;
    case SortBy::kResident:
      return row.sums.resident_bytes;
    case SortBy::kPid:
      break;
  }
  return ~static_cast<std::uint64_t>(pid);
}

Table TopTable::processes(SortBy by) {
  pids_.clear();
  std::map<pid_t, std::uint64_t> values;
  for (const auto& [pid, row] : now_) {
    pids_.push_back(pid);
    values[pid] = sort_value(pid, row, by);
  }
  std::stable_sort(pids_.begin(), pids_.end(),
                   [&](pid_t a, pid_t b) { return values[a] > values[b]; });
  Table table({{"pid", Align::kRight, 7},
               {"command", Align::kLeft, 15},
               {"user", Align::kLeft, 8},
               {"gets/s", Align::kRight, 7},
               {"hit%", Align::kRight, 5},
               {"misses/s", Align::kRight, 8},
               {"in use", Align::kRight, 7},
               {"idle", Align::kRight, 7},
               {"rss", Align::kRight, 7},
               {"up", Align::kRight, 6},
               {"unit", Align::kLeft}});
  for (const pid_t pid : pids_) {
    const Row& row = now_[pid];
    table.add({std::to_string(pid), row.sample.command, row.user,
               short_count(rate(pid, row, &Sums::gets)), percent_text(row.sums.hits, row.sums.gets),
               short_count(rate(pid, row, &Sums::misses)), short_bytes(row.sums.in_use_bytes),
               short_bytes(row.sums.idle_bytes), short_bytes(row.sums.resident_bytes),
               short_time(row.sample.uptime_ms), row.unit});
  }
  return table;
}

Table TopTable::classes(pid_t pid, SortBy by) const {
  Table table({{"class", Align::kRight, 7},
               {"gets/s", Align::kRight, 7},
               {"hit%", Align::kRight, 5},
               {"misses/s", Align::kRight, 8},
               {"in use", Align::kRight, 8},
               {"peak", Align::kRight, 8},
               {"bytes", Align::kRight, 7},
               {"idle", Align::kRight, 7},
               {"retained", Align::kRight, 8},
               {"purged", Align::kRight, 7}});
  const Sample* const now = find(pid);
  if (now == nullptr) return table;
  const auto then = before_.find(pid);
  const Sample* const before = then == before_.end() ? nullptr : &then->second.sample;
  const std::uint64_t elapsed_ms =
      before == nullptr ? now->uptime_ms : growth(before->time_ms, now->time_ms);
  std::vector<std::pair<ClassSnapshot, ClassSnapshot>> rows;
  for (const ClassSnapshot& row : now->snapshot.classes) {
    if (is_live(row)) rows.emplace_back(row, class_before(before, row.buffer_bytes));
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
    return bufpool::sort_value(a.first, a.second, by) > bufpool::sort_value(b.first, b.second, by);
  });
  for (const auto& [row, old] : rows) {
    table.add({std::string(class_name(row.buffer_bytes).view()),
               short_count(per_second(growth(old.gets, row.gets), elapsed_ms)),
               percent_text(row.hits, row.gets),
               short_count(per_second(growth(old.misses, row.misses), elapsed_ms)),
               short_count(row.in_use), short_count(row.in_use_peak),
               short_bytes(in_use_bytes(row)), short_bytes(row.idle), short_bytes(row.retained),
               short_bytes(row.purged)});
  }
  return table;
}

std::string TopTable::summary() const {
  Sums all;
  std::uint64_t gets = 0;
  for (const auto& [pid, row] : now_) {
    gets += rate(pid, row, &Sums::gets);
    all.hits += row.sums.hits;
    all.gets += row.sums.gets;
    all.in_use_bytes += row.sums.in_use_bytes;
    all.idle_bytes += row.sums.idle_bytes;
    all.resident_bytes += row.sums.resident_bytes;
  }
  return formatted("{} processes, {} gets/s, hit {}%, in use {}, idle {}, resident {}", now_.size(),
                   short_count(gets), percent_text(all.hits, all.gets),
                   short_bytes(all.in_use_bytes), short_bytes(all.idle_bytes),
                   short_bytes(all.resident_bytes));
}

}  // namespace bufpool
