// SPDX-License-Identifier: MIT
// Holds the budget of idle memory within the limits of the memory that the process may use.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/budget.h"

namespace bufpool {

// Learns the limits once, and keeps the budget within them. Any thread and any signal handler may
// call any function but open() at any time. The caller holds no lock, as the limits stand in files.
class LimitedBudget {
 public:
  // Opens the budget. `wanted` is BUFPOOL_RETAIN_MAX. Pre: it is called once; `cache` outlives
  // this.
  void open(Share wanted, CpuCache* cache) noexcept;

  // Reads the limits of this process's memory the first time, and returns the budget within them.
  // It takes a dozen system calls, which small processes never need. Before, the budget's most is
  // the default one.
  Budget& learn_limits() noexcept;

  // Returns the budget as it is in force. The limits are learnt only if the budget is a percentage
  // of them, which the user wants to see as bytes.
  const Budget& in_force() noexcept;

  // Reserves up to `bytes` to be warmed up, see Budget::reserve_warmed(). All that are warmed up
  // together are BUFPOOL_RETAIN_MAX at most if that is set, else a share of the memory that this
  // process may use. It reads files.
  [[nodiscard]] std::uint64_t reserve_to_warm(std::uint64_t bytes) noexcept;

  // Returns the budget as it is known so far, without a look at the limits.
  Budget& without_look() noexcept { return budget_; }

  // Lets a forked child ask for the limits that another thread of the parent was asking for.
  void repair_in_child() noexcept;

 private:
  void open_budget(std::uint64_t most) noexcept;

  Budget budget_;
  CpuCache* cache_ = nullptr;
  Share wanted_{};
  enum : int { kUnknown, kAsking, kKnown };
  std::atomic<int> known_{kUnknown};
};

}  // namespace bufpool
