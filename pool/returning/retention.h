// SPDX-License-Identifier: MIT
// Which idle memory goes back, and when. Three rules:
//   1. Resident memory never exceeds the peak of what is in use plus the budget: a get that needs
//      fresh pages while idle bytes are over the budget sends back the oldest idle ones first.
//   2. Idle bytes over the budget go back within about a second: a burst that is repeated at once
//      finds its pages. Before a fork they go at once: after it a page that is written faults and
//      may have to be copied, and the kernel copies the page tables of all that is mapped.
//   3. All idle bytes go back within the time they may be kept.
// The caller holds no lock, as everything here may make system calls. Any thread may call anything
// at any time. Passes are made one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/returning/budget.h"
#include "pool/returning/returns_under_way.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {

class Retention {
 public:
  // Pre: called once; `spans` (kClassSlots of them) and `cache` outlive this.
  void open(const Options& options, SharedSpans* spans, CpuCache* cache) noexcept;

  // Rule 1, after a get that took `fresh` bytes without pages, `regretted` of them purged lately.
  void after_fresh(std::uint64_t fresh, std::uint64_t regretted) noexcept;

  // Rules 2 and 3, once; nothing where another thread is at it. Returns the bytes that are idle.
  std::uint64_t pass() noexcept;

  // As pass(), unless one was made less than kPassMs ago.
  void pass_if_due() noexcept;
  static constexpr std::uint32_t kPassMs = 250;

  // Gives back at once what idle spans have over the budget. For a process that can have no thread
  // which would do so after a while.
  void give_excess() noexcept;

  // Gives idle memory back down to `keep` bytes. Returns the bytes given back.
  std::uint64_t trim(std::uint64_t keep) noexcept;

  // The system refused memory to a class: all that is idle goes back and is unmapped, as limits on
  // what a process maps (RLIMIT_AS, RLIMIT_DATA) count it, and every class may ask again. False:
  // little is idle, this was done not long ago, and nothing went back since.
  [[nodiscard]] bool make_room() noexcept;

  // Tells which threads give memory back, for a get that the system refused memory.
  ReturnsUnderWay& returns() noexcept { return returns_; }

  // `bytes` were faulted in at start.
  void add_warmed(std::uint64_t bytes) noexcept { budget_.add_warmed(bytes); }

  // Reads the limits of this process's memory, once. Takes a dozen system calls, which small
  // processes never need; before, the budget's most is the default one.
  void learn_limits() noexcept;

  // Gives idle memory over the budget back, and unmaps the runs that have no memory left: to copy
  // their mappings and page tables for a child takes longer. Does little where nothing went back
  // since the last fork.
  void before_fork() noexcept;

  // The work that another thread of the parent was at is nobody's.
  void repair_in_child() noexcept;

  // The system is short of memory.
  void relieve_pressure() noexcept;

  // Idle bytes that keep their pages, in spans and in the CPUs' caches.
  std::uint64_t idle_bytes() const noexcept;

  // The most that is worth keeping; learns the limits.
  std::uint64_t budget_most() noexcept;

  // For the snapshot: as in force. A percentage, which the user wants to see as bytes, is the only
  // reason to learn the limits for that.
  std::uint64_t budget_bytes() const noexcept;
  std::uint64_t budget_most_in_force() noexcept;
  std::uint64_t trims() const noexcept { return trims_.load(std::memory_order_relaxed); }
  std::uint64_t pressure_events() const noexcept {
    return pressure_events_.load(std::memory_order_relaxed);
  }
  std::uint64_t cpu_drains() const noexcept { return cpu_drains_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kGraceMs = 1000;  // rule 2
  // Rule 1 gives back this much at a time at least, for fewer system calls.
  static constexpr std::uint64_t kLeastReclaim = std::uint64_t{256} << 10;
  // No more is out of reach at a time while it goes back, but for a span that is larger.
  static constexpr std::uint64_t kMostAtOnce = std::uint64_t{64} << 20;

  void open_budget(std::uint64_t most) noexcept;
  // What a forked child may fault in before rule 1 gives back what it shares with its parent. While
  // the parent lives that frees nothing, and the child would have pages of records copied for it.
  static constexpr std::uint64_t kChildGrace = std::uint64_t{1} << 20;

  bool begin_pass() noexcept;
  bool spends_grace(std::uint64_t fresh) noexcept;
  std::uint64_t pass_alone() noexcept;
  std::uint64_t idle_in_spans() const noexcept;
  SharedSpans* oldest_spans(std::uint32_t now, std::uint32_t min_age) const noexcept;
  std::uint64_t purge_oldest(std::uint64_t bytes, std::uint32_t min_age) noexcept;
  void purge_class_excess(std::uint32_t now) noexcept;
  std::uint64_t purge_some(SharedSpans& spans, std::uint32_t now, std::uint32_t min_age,
                           std::uint64_t most) noexcept;
  std::uint64_t sweep(std::uint32_t min_age) noexcept;
  void drain_quiet(std::uint32_t quiet_ms) noexcept;

  std::span<SharedSpans> spans_;
  CpuCache* cache_ = nullptr;
  Share wanted_most_{};
  std::uint64_t class_most_ = 0;
  std::uint32_t keep_ms_ = 0;
  Budget budget_;
  enum : int { kUnknown, kAsking, kKnown };
  std::atomic<int> budget_known_{kUnknown};
  std::atomic<std::uint32_t> passing_{0};  // the process of the thread that is at it; 0: none
  std::atomic<std::uint32_t> last_pass_ms_{0};
  std::atomic<std::uint64_t> grace_bytes_{0};  // fresh ones that are left of kChildGrace
  ReturnsUnderWay returns_;
  std::atomic<std::uint32_t> drained_ms_{0};
  std::atomic<std::uint32_t> steps_at_drain_{0};
  std::atomic<std::uint64_t> trims_{0};
  std::atomic<std::uint64_t> trims_at_fork_{0};
  std::atomic<std::uint64_t> pressure_events_{0};
  std::atomic<std::uint64_t> cpu_drains_{0};
};

}  // namespace bufpool
