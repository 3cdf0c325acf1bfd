// SPDX-License-Identifier: MIT
// Counts of groups of processes that never fall, whichever processes come and go.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Lives from one run of the command to the next as a text. Each run shows it all processes that
// there are, and then settles. A process that ended leaves its counts in those of its group.
class LastingCounts {
 public:
  // The process's number, and when its page was made. The number alone may be another's later.
  using Process = std::pair<std::uint64_t, std::uint64_t>;

  struct Group {
    Snapshot counts{};  // its counters only
    std::uint64_t ended = 0;
    std::uint64_t seen_ms = 0;  // when it last had a process, since 1970
    bool is_new = true;         // it is not of the text
  };
  using Groups = std::map<std::string, Group, std::less<>>;  // by labels

  // Reads what text() wrote. Counters that this version does not have are left out. A text that is
  // no such text, or that is cut short, gives what can be read of it.
  [[nodiscard]] static LastingCounts parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  // Adds what the process counted since it was last shown, or all of it if the group is new.
  void show(const std::string& labels, Process process, const Snapshot& now);
  // Counts processes as ended that several runs in a row did not show, as one run may fail to read
  // one, and forgets groups that had none for long.
  void settle(std::uint64_t now_ms);

  // Returns all groups, by their labels.
  [[nodiscard]] const Groups& groups() const noexcept { return groups_; }

 private:
  friend class LastingCountsReader;

  struct Member {
    std::string labels;
    Snapshot counts{};         // when it was last shown
    std::uint64_t missed = 0;  // how many runs have not shown it since, with this one
  };

  Groups groups_;
  std::map<Process, Member> members_;
};

}  // namespace bufpool
