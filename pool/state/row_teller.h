// SPDX-License-Identifier: MIT
// Tells what is counted of a class's spans on the statistics page.
#pragma once

#include <cstdint>

#include "pool/addresses/size_classes.h"
#include "pool/state/span_counters.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

// Writes those words of a class's row that its lock guards. What the class's stacks hold and did is
// added by the readers. All zero, it tells nothing.
class RowTeller {
 public:
  // From now on the row of class `c` is told, less what the parent of a fork had counted. Both
  // outlive this. Pre: no other thread uses the class yet.
  void open(const StatsPageWriter* page, ClassIndex c, const ClassForkAccount* at_fork) noexcept {
    page_ = page;
    class_ = c;
    at_fork_ = at_fork;
  }

  // Tells the counters, if there is a page. Pre: the caller has the lock of the class, or no other
  // thread of the process uses the class. Nothing but the page is written.
  void tell(const SpanCounters& counters) const noexcept {
    if (page_ == nullptr) return;
    if (StatsRow* const row = page_->row(to_number(class_))) tell(counters, *row);
  }

 private:
  void tell(const SpanCounters& counters, StatsRow& row) const noexcept;

  const StatsPageWriter* page_ = nullptr;
  const ClassForkAccount* at_fork_ = nullptr;
  ClassIndex class_{};
};

}  // namespace bufpool
