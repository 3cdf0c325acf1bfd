// SPDX-License-Identifier: MIT
// What `bufpool top` shows: processes, or the classes of one, with rates between two looks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/figures/rates.h"
#include "cli/figures/sample.h"
#include "cli/texts/table.h"

namespace bufpool {

// A column to sort by. The letter is the key for it.
enum class SortBy : char {
  kGets = 'g',
  kMisses = 'm',
  kInUse = 'u',
  kIdle = 'i',
  kResident = 'r',
  kPid = 'p',
};

// The processes as they were at two moments.
class TopTable {
 public:
  // Looks at all processes, or at one alone if `only` is not 0.
  void look(pid_t only);

  // Sorts and fills a table of the processes; pids() are those of its rows.
  [[nodiscard]] Table processes(SortBy by);
  [[nodiscard]] const std::vector<pid_t>& pids() const noexcept { return pids_; }
  // Fills a table of the classes of a process, the largest first in what is sorted by.
  [[nodiscard]] Table classes(pid_t pid, SortBy by) const;

  // Returns how many processes there are.
  [[nodiscard]] std::size_t size() const noexcept { return now_.size(); }
  // How many of others could not be read.
  [[nodiscard]] std::uint64_t forbidden() const noexcept { return forbidden_; }
  [[nodiscard]] const Sample* find(pid_t pid) const;
  // Sums over all processes.
  [[nodiscard]] std::string summary() const;

 private:
  struct Row {
    Sample sample;
    Sums sums;
    std::string user;
    std::string unit;
  };
  using Rows = std::map<pid_t, Row>;

  // Returns a counter's growth in a second since the last look, or since the start.
  [[nodiscard]] std::uint64_t rate(pid_t pid, const Row& row, std::uint64_t Sums::*sum) const;
  [[nodiscard]] std::uint64_t sort_value(pid_t pid, const Row& row, SortBy by) const;

  Rows before_;
  Rows now_;
  std::vector<pid_t> pids_;
  std::uint64_t forbidden_ = 0;
};

}  // namespace bufpool
