// SPDX-License-Identifier: MIT
// Decides which idle memory goes back, and when. The rules themselves stand in retention_rules.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/idle_memory.h"
#include "pool/retention/limited_budget.h"
#include "pool/retention/retention_rules.h"
#include "pool/retention/returns_under_way.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {

// Holds the figures of retention that the snapshot tells. The bytes are those in force.
struct RetentionFigures {
  std::uint64_t trims;
  std::uint64_t shortages;
  std::uint64_t pressure_events;
  std::uint64_t cpu_drains;
  std::uint64_t budget;       // bytes
  std::uint64_t budget_most;  // bytes
};

// Applies the rules of retention when the pool, the trimmer's thread or a fork gives occasion. Any
// thread may call anything at any time, and any signal handler may call after_fresh(). The caller
// holds no lock, as most functions make system calls. Passes are made by one thread at a time.
class Retention {
 public:
  // Connects the parts. Pre: it is called once; `spans` (kClassSlots of them), `cache` and
  // `returns` outlive this.
  void open(const Options& options, SharedSpans* spans, CpuCache* cache,
            ReturnsUnderWay* returns) noexcept;

  // Applies rule 1 after a get that took `fresh` bytes without pages. `refaulted` of these bytes
  // had been purged lately.
  void after_fresh(std::uint64_t fresh, std::uint64_t refaulted) noexcept;

  // Applies rules 2 and 3 once. It does nothing while another thread makes a pass. Returns the
  // bytes that are idle.
  std::uint64_t pass() noexcept;

  // Does what pass() does, unless a pass was made less than policy::kPassMs ago. `gives_excess`
  // says that no thread will make the next pass: then idle spans over the budget go back at once,
  // in either case.
  void pass_if_due(bool gives_excess) noexcept;

  // Gives idle memory back until `keep` bytes are idle. Returns the bytes given back.
  std::uint64_t trim(std::uint64_t keep) noexcept;

  // Gives back and unmaps all that is idle, as the system refused memory to a class: limits on what
  // a process maps (RLIMIT_AS, RLIMIT_DATA) count it. Every class may ask again then. Returns false
  // if little is idle, this was done not long ago, and nothing went back since.
  [[nodiscard]] bool make_room() noexcept;

  // Returns the budget for idle memory.
  LimitedBudget& budget() noexcept { return budget_; }

  // Gives idle memory over the budget back, and unmaps the runs that have no memory left: to copy
  // their mappings and page tables for a child takes longer. It does little if nothing went back
  // since the last fork.
  void before_fork() noexcept;

  // Ends in a forked child what another thread of the parent was doing.
  void repair_in_child() noexcept;

  // Gives all idle memory back and halves the budget for a while, as the system is short of memory.
  void relieve_pressure() noexcept;

  // Returns the idle bytes that keep their pages, in spans and in the CPUs' caches.
  std::uint64_t idle_bytes() const noexcept { return idle_.bytes(); }

  // Returns the figures for the snapshot. Returns zeros for the budget if `with_budget` is false,
  // and makes no system call then. Else the limits are learnt if the budget is a percentage of
  // them, which the user wants to see as bytes.
  RetentionFigures figures(bool with_budget = true) noexcept;

 private:
  Budget& learn_budget() noexcept;
  bool begin_pass() noexcept;
  bool spends_grace(std::uint64_t fresh) noexcept;
  void give_scattered(std::uint32_t now_ms) noexcept;
  std::uint64_t pass_alone() noexcept;
  void give_excess() noexcept;

  std::span<const SharedSpans> spans_;
  IdleMemory idle_;
  LimitedBudget budget_;
  ReturnsUnderWay* returns_ = nullptr;
  std::uint64_t class_most_ = 0;           // BUFPOOL_RETAIN_CLASS_MAX; 0 if there is none
  std::uint32_t keep_ms_ = 0;              // BUFPOOL_RETAIN_TIME
  std::atomic<std::uint32_t> passing_{0};  // the process of the thread that makes a pass, or 0
  std::atomic<std::uint32_t> last_pass_ms_{0};
  std::atomic<std::uint32_t> last_scattered_ms_{0};
  std::atomic<std::uint64_t> grace_bytes_{0};  // fresh ones that are left of policy::kChildGrace
  std::atomic<std::uint32_t> drained_ms_{0};
  // Idle bytes that the last make_room() could not give back.
  std::atomic<std::uint64_t> left_at_drain_{0};
  std::atomic<std::uint32_t> steps_at_drain_{0};  // ReturnsUnderWay::steps() after make_room()
  std::atomic<std::uint64_t> trims_at_fork_{0};
  std::atomic<std::uint64_t> shortages_{0};
  std::atomic<std::uint64_t> pressure_events_{0};
};

// Says how often a request that the system refused memory may be tried again. It lives as long as
// the request. The caller holds no lock.
class Retries {
 public:
  // Begins with the request. Both outlive this. Without `retention`, nothing is tried again.
  Retries(Retention* retention, ReturnsUnderWay& returns) noexcept
      : retention_(retention), returns_(returns), steps_(returns.steps()) {}

  // Makes room, or waits, if `waits` says so, until another thread has given memory back: what it
  // is giving back cannot be had meanwhile. Returns false if that is of no use, or after
  // policy::kReturnsPatienceMs.
  [[nodiscard]] bool next(bool waits) noexcept;

 private:
  Retention* retention_;
  ReturnsUnderWay& returns_;
  std::uint32_t steps_;
  std::uint32_t since_ms_ = 0;
  bool made_room_ = false;  // since the last step
};

}  // namespace bufpool
