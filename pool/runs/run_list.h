// SPDX-License-Identifier: MIT
// Lists the runs of a class.
#pragma once

#include "pool/runs/run.h"

namespace bufpool {

// Holds two lists of runs: all of them, and those that spans can still be cut from. The lock of the
// class guards it.
class RunList {
 public:
  // Return the run that was put in front last, and the one that was so longest ago. They return
  // nullptr if there is none.
  Run* first() const noexcept { return first_; }
  Run* last() const noexcept { return last_; }

  // Returns the first run with room for more spans, or nullptr if there is none. The others follow
  // by next_uncut.
  Run* first_uncut() const noexcept { return first_uncut_; }

  // Adds a run to both lists, or to the first only if it has no room for more spans.
  void add(Run& run) noexcept {
    link_first(run);
    run.next_uncut = first_uncut_;
    if (run.cut < run.span_count.load(std::memory_order_relaxed)) first_uncut_ = &run;
  }

  // Removes a run from both lists.
  void remove(Run& run) noexcept {
    unlink(run);
    remove_uncut(run);
  }

  // Removes a run from those with room for more spans, if it is among them.
  void remove_uncut(const Run& run) noexcept {
    Run** link = &first_uncut_;
    while (*link != nullptr && *link != &run) link = &(*link)->next_uncut;
    if (*link != nullptr) *link = run.next_uncut;
  }

  // Moves a run to the front of all.
  void move_to_front(Run& run) noexcept {
    unlink(run);
    link_first(run);
  }

 private:
  void link_first(Run& run) noexcept {
    run.prev = nullptr;
    run.next = first_;
    (first_ != nullptr ? first_->prev : last_) = &run;
    first_ = &run;
  }

  void unlink(Run& run) noexcept {
    (run.prev != nullptr ? run.prev->next : first_) = run.next;
    (run.next != nullptr ? run.next->prev : last_) = run.prev;
  }

  Run* first_ = nullptr;
  Run* last_ = nullptr;
  Run* first_uncut_ = nullptr;
};

}  // namespace bufpool
