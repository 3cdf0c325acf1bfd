// SPDX-License-Identifier: MIT
// Keeps the statistics page of this process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pool/addresses/chunk_space.h"
#include "pool/addresses/size_classes.h"
#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/retention.h"
#include "pool/retention/trimmer.h"
#include "pool/spans/shared_spans.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

// Makes the page, tells there what no other room tells by itself, and does what readers ask for.
// The page is made by the first slow path of the pool, and a new one by the first slow path of a
// forked child. Before enable() there is none, and nothing here does anything. Any thread and any
// signal handler may call all but open() and enable(). No caller holds a lock.
class StatsTeller {
 public:
  struct Parts {
    CpuCache* cache = nullptr;
    SharedSpans* spans = nullptr;  // kClassSlots of them
    ChunkSpace* space = nullptr;
    Retention* retention = nullptr;
    Trimmer* trimmer = nullptr;
    const ForkAccount* at_fork = nullptr;
  };
  // The parts outlive this. Pre: called once.
  void open(const Parts& parts) noexcept {
    parts_ = parts;
    parts_.trimmer->call_after_passes(after_pass, this);
  }

  // There is to be a page, as `options` say (BUFPOOL_STATS). Pre: the pool is open, and no other
  // thread uses it yet. The options are read again when a page is made; `options` outlives this.
  // Returns false if they name a folder that cannot be one.
  bool enable(const Options& options, PoolMode mode) noexcept;

  // To be called in a forked child, once it is known what its parent had counted.
  void after_fork_in_child() noexcept {
    if (writer_.control() != nullptr) tell_again();
  }

  // To be called at the start of a slow path: makes the page if that is not decided yet. It waits
  // for nobody. Makes system calls, and reads a file, once in a process.
  [[gnu::always_inline]] void settle() noexcept {
    if (!writer_.is_settled()) [[unlikely]]
      decide();
  }
  // The program is about to lock itself in: a page that is to be had is made now, and none later.
  void settle_for_good() noexcept;

  // To be called at the end of a slow path of a class.
  void after_slow_path(ClassIndex c) noexcept;
  // Tells what is counted elsewhere: that a request of a class was passed on; all bytes of room
  // that realloc took; all requests that never came to the pool.
  void tell_passed_on(ClassIndex c, Shortage why) noexcept;
  void tell_room(ClassIndex c, const std::atomic<std::uint64_t>& bytes) noexcept;
  // The requests that were passed on since the process began.
  struct Passed {
    std::uint64_t below;
    std::uint64_t above;
    std::uint64_t within;
  };
  // Tells them, each as the whole count.
  void tell_passed(const Passed& passed) noexcept;
  // Tells figures that were found out for something else.
  void tell_looked(const Snapshot& found) noexcept;

  // At the end of the process: a page with a name in a folder loses it.
  void remove_name() noexcept { writer_.remove_name(); }

 private:
  enum class Choice : std::uint8_t { kOff, kAuto, kOn };

  [[gnu::cold, gnu::noinline]] void decide() noexcept;
  bool may_make() const noexcept;
  bool make() noexcept;
  bool make_in_child() noexcept;
  void tell_again() noexcept;
  void tell_asked(ClassIndex c) noexcept;
  void tell_process() noexcept;
  static void after_pass(void* self) noexcept;
  void look() noexcept;
  void reset_peaks() noexcept;
  void obey() noexcept;

  Parts parts_;
  const Options* options_ = nullptr;
  PoolMode mode_ = PoolMode::kPassThrough;
  Choice choice_ = Choice::kOff;
  std::atomic<bool> for_good_{false};
  std::atomic<bool> obeying_{false};
  std::array<char, 192> folder_{};
  StatsPageWriter writer_;
};

}  // namespace bufpool
