// SPDX-License-Identifier: MIT
// The statistics page of this process: makes it, and leads to its words. The library reads back no
// length, no offset and no address from its front, so that who overwrites that changes figures and
// nothing else. The records of stacks behind it are what the allocator works with. They are as safe
// as the process's memory, because nobody else can open the file for writing
// (docs/statistics-page.md).
//
// A page is made once in each process: by the first slow path of the pool, and again by one of the
// first in a forked child. A forked child must not write to its parent's page. So the word that
// says that there is a page, and all that leads sequences to the stacks whose hits it counts, stand
// in memory that the kernel wipes in a forked child, however it was forked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "pool/options/options.h"
#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/platform/shared_memory.h"
#include "pool/telemetry/snapshot.h"
#include "pool/telemetry/stats_page_layout.h"
#include "pool/telemetry/stats_samples.h"

namespace bufpool {

// Says whether there is a page.
enum class StatsState : std::uint32_t {
  kUnsettled,  // not decided yet
  kMaking,     // a thread is at it
  kMade,       // there is one, and it is this process's own
  kWithout,    // there is none, and will be none
};
// Holds what is zero in a forked child of a process with a page.
struct StatsWord {
  std::atomic<StatsState> state{};
  std::atomic<std::uint32_t> tries{0};  // calls of begin() that the child was told to do without
};

// The most bytes of the options' text.
inline constexpr std::size_t kStatsOptionsRoom = 1104;

// Says what a page is made of. In a forked child the shards and the options are those of the
// parent's page.
struct StatsPlan {
  PoolMode mode = PoolMode::kPassThrough;
  std::uint32_t caches = 0;      // as in StatsHeader
  std::uint32_t shards = 0;      // areas with a StatsStack per class
  const char* folder = nullptr;  // for a file with a name; nullptr: one without
  const char* command = "";
  const Options* options = nullptr;
  bool samples = false;  // whether there is room for samples
};

// Stores a word of the page, which other processes read meanwhile.
template <typename T>
void put_word(T& word, T value) noexcept {
  std::atomic_ref(word).store(value, std::memory_order_relaxed);
}

// Leads to the pages of memory that stacks are in, one for each shard.
class StatsShards {
 public:
  // Sets where the pages are in this process, how many there are, and where it is told that a shard
  // is not in its page. Without `pages` there are none.
  void open(void* pages, std::uint32_t count, std::uint32_t* elsewhere) noexcept {
    pages_ = reinterpret_cast<std::uintptr_t>(pages);
    count_ = count;
    elsewhere_ = elsewhere;
  }
  // Returns whether this process, or the one that it was forked from, has pages.
  [[nodiscard]] bool exist() const noexcept { return pages_ != 0; }
  // Returns how many there are.
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  // Returns the page of a shard, or nullptr if there is none.
  [[nodiscard]] void* page(std::uint32_t shard) const noexcept {
    return shard < count_ ? reinterpret_cast<void*>(pages_ + shard * platform::kPageBytes)
                          : nullptr;
  }
  // Tells that the stacks of a shard are not in its page.
  void note_elsewhere() noexcept {
    if (exist()) std::atomic_ref(*elsewhere_).fetch_add(1, std::memory_order_relaxed);
  }

 private:
  std::uintptr_t pages_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t* elsewhere_ = nullptr;
};

// Makes the page, and leads to its words.
class StatsPageWriter {
 public:
  // Connects the word. Before, there is no page, and that is settled. Pre: `word` is in memory that
  // is wiped in a forked child once make() was called, and outlives this.
  void open(StatsWord* word) noexcept { word_.store(word, std::memory_order_release); }

  // Returns whether it is decided if this process has a page.
  [[nodiscard]] bool is_settled() const noexcept {
    const StatsState state = this->state();
    return state == StatsState::kMade || state == StatsState::kWithout;
  }
  // Returns whether this process or one that it was forked from has made a page.
  [[nodiscard]] bool has_region() const noexcept { return region() != 0; }

  // Returns whether the caller is to decide. It then calls settle() soon, and waits for nobody
  // until then. In a forked child only the call with this number, or a later one, decides: most
  // children exec or end before that.
  [[nodiscard]] bool begin(std::uint32_t number_in_child) noexcept;
  // Maps a page and writes what does not change; in a forked child in the place of the parent's.
  // Returns false if it cannot be had. In a forked child the parent's page may be gone then. Pre:
  // begin() returned true.
  [[nodiscard]] bool make(const StatsPlan& plan) noexcept;
  // Puts private memory in the place of the parent's page. Pre: as above, and make() failed.
  [[nodiscard]] bool hide() noexcept;
  // Ends what begin() began. `made`: readers may read the page, and its words are there.
  void settle(bool made) noexcept;

  // Returns the words of a class, or nullptr if there is no page.
  [[nodiscard]] StatsRow* row(std::uint32_t c) const noexcept {
    return is_made() ? raw_row(c) : nullptr;
  }
  // Returns the pages of stacks.
  StatsShards& shards() noexcept { return shards_; }
  const StatsShards& shards() const noexcept { return shards_; }
  // Holds the words of the process, where readers ask for something, a word for the sizes of each
  // built-in class, and the records of samples.
  struct Words {
    StatsProcess* process;
    StatsControl* control;
    std::uint64_t* sizes;
    StatsSamples* samples;
  };
  // Returns them; all are nullptr if there is no page, and `samples` is if it has no room for them.
  [[nodiscard]] Words words() const noexcept;

  // Calls write(StatsProcess&) between two steps of the header's sequence, where same(words) is
  // false. Does nothing where there is no page, or another thread is at it.
  template <typename Same, typename Write>
  void write_process(Same same, Write write) noexcept {
    if (!is_made() || same(std::as_const(process())) || !begin_process()) return;
    write(process());
    end_process();
  }

  // Removes the name of a page that is a file in a folder. A child of vfork leaves it to its
  // parent, whose it is.
  void remove_name() noexcept;

 private:
  [[nodiscard]] StatsState state() const noexcept {
    const StatsWord* const word = word_.load(std::memory_order_acquire);
    return word == nullptr ? StatsState::kWithout : word->state.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool is_made() const noexcept { return state() == StatsState::kMade; }
  [[nodiscard]] StatsRow* raw_row(std::uint32_t c) const noexcept;
  [[nodiscard]] std::uintptr_t region() const noexcept {
    return region_.load(std::memory_order_acquire);
  }
  template <typename T>
  [[nodiscard]] T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(region() + offset);
  }
  [[nodiscard]] StatsProcess& process() const noexcept;
  void* map(const StatsPlan& plan, const platform::ProcessIdentity& owner) noexcept;
  std::size_t options_text(const StatsPlan& plan, std::span<char, kStatsOptionsRoom> out) noexcept;
  [[nodiscard]] std::size_t shards_at() const noexcept;
  void fill(const StatsPlan& plan, std::string_view options) noexcept;
  void lay_out(StatsHeader& header) const noexcept;
  bool begin_process() noexcept;
  void end_process() noexcept;

  std::atomic<StatsWord*> word_{nullptr};
  std::atomic<std::uintptr_t> region_{0};
  StatsShards shards_;
  std::uint32_t shard_count_ = 0;
  bool has_samples_ = false;
  std::size_t bytes_ = 0;
  std::size_t options_bytes_ = 0;
  platform::FileName name_{};
};

}  // namespace bufpool
