// SPDX-License-Identifier: MIT
// Tells the figures of the pool.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/blocks/all_spans.h"
#include "pool/blocks/served_sizes.h"
#include "pool/buffer_resize.h"
#include "pool/miss_path.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/retention.h"
#include "pool/retention/trimmer.h"
#include "pool/sampling/sampler.h"
#include "pool/stats/stats_teller.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/residence.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Holds the figures in a few sums.
struct PoolTotals {
  std::uint64_t carved_bytes;
  std::uint64_t in_use_bytes;
  std::uint64_t idle_bytes;
  std::uint64_t idle_buffers;
};

// Reads the counters of a pool's parts and tells them as plain values. It may be used before the
// pool opens, too: all is zero then. Any thread may call all. The locks of classes are taken for a
// moment; where one cannot be had, what is counted under it may be a moment old.
class PoolFigures {
 public:
  struct Parts {
    PoolMode mode;
    const ServedSizes& sizes;
    const MissPath& miss_path;
    const BufferResize& resize;
    ChunkSpace& space;
    const Trimmer& trimmer;
    Retention& retention;
    CpuCache& cache;
    AllSpans& spans;
    ForkAccount& at_fork;
    StatsTeller& stats;
    const Sampler& sampler;
  };
  // Connects the parts, which outlive this.
  explicit PoolFigures(const Parts& parts) noexcept : parts_(parts) {}

  // Returns the mode that is in force.
  PoolMode mode() const noexcept { return parts_.mode; }

  // Returns whether buffers are sampled.
  bool samples() const noexcept { return parts_.sampler.is_on(); }

  // Returns the most idle bytes of one CPU's cache, as it is in force, or 0 if there are no caches.
  std::uint64_t cpu_cache_bytes() const noexcept {
    return mode() == PoolMode::kPassThrough ? 0 : parts_.cache.capacity().cpu_budget();
  }

  // Returns the bytes mapped for buffers.
  std::size_t reserved_bytes() noexcept { return parts_.space.mappings().bytes(); }

  // Returns the buffers this process asked for, whether they were handed out or had to be passed
  // on. It takes no lock, and little time.
  [[nodiscard]] std::uint64_t gets() const noexcept;

  // Returns when this process was forked, by platform::coarse_milliseconds(), or 0 if it was not.
  [[nodiscard]] std::uint64_t forked_ms() const noexcept { return parts_.at_fork.made_ms; }

  // Returns the sums over all classes, as they are now.
  [[nodiscard]] PoolTotals totals() noexcept;

  // Writes all there is to tell. It leaves out what happened before a fork, as that is the
  // parent's. It asks the kernel which pages are resident.
  void snapshot(Snapshot& out) noexcept;

  // Return what snapshot() writes of the process as a whole, and of a class. A class that is not in
  // use is all zero, and so is each without a pool. `look` is one for all classes that are asked
  // for together. They ask the kernel which pages are resident.
  [[nodiscard]] ProcessFigures of_process() noexcept;
  [[nodiscard]] ClassSnapshot of_class(ClassIndex c, Residence& look) noexcept;

  // Keeps what the parent had counted. It takes no lock. Pre: a forked child in its fork handlers.
  void note_fork() noexcept;

 private:
  template <typename Out>
  void count_process(Out& out) const noexcept;
  template <typename Out>
  void tell_process(Out& out) noexcept;
  ClassSnapshot counts_of(ClassIndex c) noexcept;
  void count_class(ClassIndex c, const SpanCounters& spans, ClassSnapshot& out) const noexcept;
  void look_at_idle(ClassIndex c, ClassSnapshot& row, Residence& look) noexcept;

  Parts parts_;
};

}  // namespace bufpool
