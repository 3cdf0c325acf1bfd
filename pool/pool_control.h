// SPDX-License-Identifier: MIT
// Does what concerns the pool as a whole.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/blocks/all_spans.h"
#include "pool/blocks/altered_pages.h"
#include "pool/blocks/pointer_check.h"
#include "pool/blocks/served_sizes.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/pool_figures.h"
#include "pool/retention/retention.h"
#include "pool/retention/returns_under_way.h"
#include "pool/retention/trimmer.h"
#include "pool/stats/stats_teller.h"
#include "pool/telemetry/fault.h"

namespace bufpool {

// Does all that a process asks of its pool beside gets and puts. It may be used before the pool
// opens, too: it then does what can be done, and ignores the rest. Any thread may call all but
// close().
class PoolControl {
 public:
  struct Parts {
    PoolFigures figures;
    const ServedSizes& sizes;
    PointerCheck& check;
    AlteredPages& altered;
    Retention& retention;
    ReturnsUnderWay& returns;
    Trimmer& trimmer;
    CpuCache& cache;
    AllSpans& spans;
    ChunkSpace& space;
    StatsTeller& stats;
  };
  // Connects the parts, which outlive this.
  explicit PoolControl(const Parts& parts) noexcept : parts_(parts) {}

  // Sets the function that is called with the first fault of the program. Without one the process
  // traps.
  void set_fault_handler(FaultHandler handler) noexcept { parts_.check.set_fault_handler(handler); }

  // Gives idle memory back, down to `keep` bytes. It returns the bytes given back.
  std::uint64_t trim(std::uint64_t keep) noexcept {
    return is_open() ? parts_.retention.trim(keep) : 0;
  }

  // Returns the retries of a request that the allocator underneath has no memory for.
  [[nodiscard]] Retries retries() noexcept {
    return {is_open() ? &parts_.retention : nullptr, parts_.returns};
  }

  // Faults `count` buffers of `size` bytes in, for gets to come, or as many as memory allows (see
  // LimitedBudget::reserve_to_warm()). It returns how many it could. Beside a fork, and in a signal
  // handler that interrupted the work of the class, it may do none. A child that is forked
  // meanwhile goes without the span that is being faulted in.
  std::uint64_t warm_up(std::size_t size, std::uint64_t count) noexcept;

  // Does what trim() does, and forgets what was warmed up above `keep` bytes: it is no longer worth
  // keeping, and as much may be warmed up anew.
  std::uint64_t give_back(std::uint64_t keep) noexcept;

  // Returns the thread that gives idle memory back.
  Trimmer& trimmer() noexcept { return parts_.trimmer; }

  // Returns what keeps the statistics page.
  StatsTeller& stats() noexcept { return parts_.stats; }

  // Notes that the program is about to alter pages, see AlteredPages::note(). Pre:
  // BufferPool::owns() the first byte.
  void note_altered(std::uintptr_t start, std::size_t bytes, Alteration how) noexcept {
    parts_.altered.note(start, bytes, how);
  }

  // These are the fork handlers: before, after in the parent, after in the child. While a fork is
  // under way no other thread has a lock of the pool. A signal handler that comes before the end of
  // one is turned away from all locks.
  void before_fork() noexcept;
  void after_fork_in_parent() noexcept;
  void after_fork_in_child() noexcept;

  // Unmaps all buffers of a pool that nobody uses any more.
  void close() noexcept { parts_.space.close(); }

 private:
  bool is_open() const noexcept { return parts_.figures.mode() != PoolMode::kPassThrough; }

  Parts parts_;
};

}  // namespace bufpool
