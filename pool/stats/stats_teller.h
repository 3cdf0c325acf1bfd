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
#include "pool/options/policy.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/retention.h"
#include "pool/retention/trimmer.h"
#include "pool/sampling/sampler.h"
#include "pool/spans/shared_spans.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

// Holds the requests that were passed on since the process began, by their size: below the pool's
// range, above it, or within it.
struct Passed {
  std::uint64_t below;
  std::uint64_t above;
  std::uint64_t within;
};

// Makes the page, tells there what no other room tells by itself, and does what readers ask for.
// The page is made by the first slow path of the pool, and a new one by one of the first slow paths
// of a forked child. Before enable() there is none, and nothing here does anything. Any thread and
// any signal handler may call all but open() and enable(). No caller holds a lock.
class StatsTeller {
 public:
  struct Parts {
    CpuCache* cache = nullptr;
    SharedSpans* spans = nullptr;  // kClassSlots of them
    ChunkSpace* space = nullptr;
    Retention* retention = nullptr;
    Trimmer* trimmer = nullptr;
    Sampler* sampler = nullptr;
    ForkAccount* at_fork = nullptr;
  };
  // Connects the parts. Pre: it is called once; the parts outlive this.
  void open(const Parts& parts) noexcept {
    parts_ = parts;
    parts_.trimmer->call_after_passes(after_pass, this);
  }

  // Holds what is asked of those who have the pool.
  struct Owner {
    // Returns what is counted of requests that never come to the pool. It takes no lock.
    Passed (*passed)() noexcept;
    // Returns whether there is a file of reports. Any thread may call it.
    bool (*has_report_file)() noexcept;
    // Appends a report to that file, and returns whether it did. The trimmer's thread calls it.
    bool (*append_report)() noexcept;
  };
  // Has a page made, as `options` say (BUFPOOL_STATS). The options are read again when a page is
  // made. A folder of a name that is too long has no page. Pre: the pool is open, and no other
  // thread uses it yet; `options` outlives this.
  void enable(const Options& options, PoolMode mode, const Owner& owner) noexcept;

  // Makes the page if that is not decided yet. It is called on a slow path that found the cache of
  // no use. Returns true if the cache may be of use now. It waits for nobody. Makes system calls,
  // and reads a file, once in a process.
  [[nodiscard, gnu::always_inline]] bool settle() noexcept {
    if (writer_.is_settled()) [[likely]]
      return false;
    return decide(policy::kMissesOfChild);
  }
  // Notes that the program is about to lock itself in. A page that is to be had is made now, and
  // none later.
  void settle_for_good() noexcept;

  // Tells what a slow path of a class has changed, for a request of `asked` bytes, and does what
  // readers asked for. It is called at the end of the path.
  void after_slow_path(ClassIndex c, std::size_t asked) noexcept;
  // Tell what is counted elsewhere: that a request of a class was passed on, all bytes of room that
  // realloc took, and the requests that never came to the pool.
  void tell_passed_on(ClassIndex c, Shortage why) noexcept;
  void tell_room(ClassIndex c, const std::atomic<std::uint64_t>& bytes) noexcept;
  void tell_passed() noexcept;
  // Tells of these only the requests below the range, whose number stands there. A thread does so
  // every thousand such requests.
  void tell_passed_below(const std::atomic<std::uint64_t>& requests) noexcept;
  // Tells figures that were found out for something else.
  void tell_looked(const Snapshot& found) noexcept;

  // Makes what is in use now the most that was in use at once, for each class, whether there is a
  // page or not. It takes the locks of the classes; the peak of a class whose lock is refused
  // may stay as it was. Before the pool is open it does nothing.
  void reset_peaks() noexcept;

  // Removes the name of a page that is a file in a folder, unless a filter could end the process
  // for it. It is called at the end of the process.
  void remove_name() noexcept;

 private:
  enum class Choice : std::uint8_t { kOff, kAuto, kOn };

  [[gnu::cold, gnu::noinline]] bool decide(std::uint32_t number_in_child) noexcept;
  bool calls_are_safe() const noexcept;
  bool may_make() const noexcept;
  StatsPlan plan(std::uint32_t shards) const noexcept;
  bool make() noexcept;
  bool make_in_child() noexcept;
  void tell_again() noexcept;
  void tell_asked(ClassIndex c) noexcept;
  void tell_reasons(ClassIndex c) noexcept;
  void tell_size(ClassIndex c) noexcept;
  void tell_process() noexcept;
  static void after_pass(void* self) noexcept;
  void look() noexcept;
  // Says who does what readers asked for.
  enum class Doer : std::uint8_t { kProgram, kTrimmer };
  void obey(Doer doer) noexcept;
  std::uint32_t perform(std::uint32_t verbs, Doer doer) noexcept;
  bool append_report(Doer doer) noexcept;

  Parts parts_;
  const Options* options_ = nullptr;
  Owner owner_{};
  PoolMode mode_ = PoolMode::kPassThrough;
  Choice choice_ = Choice::kOff;
  std::atomic<bool> for_good_{false};
  std::atomic<bool> obeying_{false};
  std::array<char, 192> folder_{};
  std::array<char, 64> command_{};  // as it was at the start
  StatsPageWriter writer_;
};

}  // namespace bufpool
