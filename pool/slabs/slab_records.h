// SPDX-License-Identifier: MIT
// Decides where the records of slabs are: on the statistics page, or in private memory where there
// is none. It carries them into forked children, which share no record with their parent.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/slabs/slab.h"
#include "pool/slabs/stack_copies.h"
#include "pool/sync/owner_lock.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

class SlabSharing;

// Places the page of records of each slab. A process without a statistics page has them in private
// memory, and its forked children inherit them as they are.
//
// A process with a page shares its records with readers, and the kernel would share them with its
// forked children as well. So a child sees no slab until it has placed all records anew: what leads
// to slabs is wiped in it (VisibleSlabs), and so is what says that records are placed. What a stack
// holds is in the copies that its parent made before the fork, while nobody changed the stacks. A
// child of _Fork or of a raw clone has no such copies, and begins with empty stacks.
class SlabRecords {
 public:
  // Says that all records are placed until tell() is called. Pre: `placed` is false, in memory that
  // is wiped in a forked child once hide_in_children() was called, and outlives this.
  void open(std::atomic<bool>* placed) noexcept {
    placed_ = placed;
    placed_->store(true);
  }
  // Connects the statistics page. Records are to be placed from then on. Without this call there is
  // no page. Pre: `stats` outlives this, and is not open yet.
  void tell(StatsPageWriter* stats) noexcept {
    stats_ = stats;
    placed_->store(false);
  }

  // Returns whether all records are placed in this process. No slab may be used otherwise. It may
  // be called before open().
  [[nodiscard]] bool are_placed() const noexcept {
    return placed_ != nullptr && placed_->load(std::memory_order_acquire);
  }
  // Says that they are.
  void note_placed() noexcept { placed_->store(true, std::memory_order_release); }
  // Makes room to copy the stacks of so many slabs. Returns false if the kernel refuses.
  [[nodiscard]] bool make_room(std::uint32_t slabs) noexcept { return copies_.open(slabs); }
  // Returns the copies of the stacks.
  StackCopies& copies() noexcept { return copies_; }
  // Says that forked children see no slab. Pre: no page has been made yet.
  void hide_in_children() noexcept { hidden_ = true; }
  bool are_hidden_in_children() const noexcept { return hidden_; }

  // Maps the page of records of a slab. `number` is that of its CPU or shard. `is_new` says that
  // private memory is there; in a forked child it may be the page of the parent. Returns false if
  // the kernel refuses: then the slab must not be used, and its first page is not ours. Pre: no
  // sequence sees the slab.
  [[nodiscard]] bool place(std::uintptr_t slab, std::uint32_t number, bool is_new) noexcept;

  // Returns whether this is the child of a fork that interrupted another, which is still to come.
  // The records stay as they are until then, as that fork needs the copies, too. A child of _Fork
  // may have been made while another thread of its parent forked: it has that thread's note.
  bool is_in_interrupted_fork() const noexcept {
    const std::uintptr_t by = notes().copied_by.load();
    return !are_placed() && notes().under_way > 0 && (by == 0 || by == thread());
  }
  // Returns what this forked child has inherited of the stacks of a class while its records are not
  // placed. Returns nullptr where the slabs count themselves.
  [[nodiscard]] const StackSums* inherited(ClassIndex c) const noexcept {
    static constexpr StackSums kNone{};
    if (are_placed() || !shared_ || !notes().is_child) return nullptr;
    return notes().has_copies ? &copies_.sums(c) : &kNone;
  }

 private:
  friend class SlabSharing;

  // Begins to copy the records for a fork. Returns false if there is nothing to copy, or if another
  // thread is at it: then the child begins with empty stacks. keep_copies() says that all copies
  // are made, and drop_copies() that they cannot be. end_copies() ends it in the parent, and
  // returns true if the slabs are to be shown again. A fork of a signal handler that interrupts
  // another fork has the copies of that one. A signal handler may call all four.
  [[nodiscard]] bool begin_copies() noexcept {
    if (is_in_fork()) ++notes().under_way;
    return !is_in_fork() && shared_ && are_placed() && !notes().copying.exchange(true);
  }
  void keep_copies() noexcept {
    notes().under_way = 1;
    notes().copied_by.store(thread(), std::memory_order_release);
  }
  void drop_copies() noexcept {
    notes().copied_by.store(0);
    notes().copying.store(false);
  }
  [[nodiscard]] bool end_copies() noexcept {
    if (!is_in_fork() || --notes().under_way > 0) return false;
    const bool made = notes().copied_by.load() != 0;
    drop_copies();
    return made;
  }
  // Notes in the child of fork() whose copies there are.
  void note_fork() noexcept;
  // Begins to place the records of a forked child anew.
  void begin_placing() noexcept {
    if (keeps_by_itself()) copies_.clear();
    refused_ = false;
  }
  // Keeps in a forked child what the records of a slab are. Private ones are the child's own. Those
  // of a child of _Fork or of a raw clone say what its parent has counted by now, as the page is
  // still the parent's. Pre: place() comes next.
  void keep(std::uintptr_t slab, std::uint32_t number) noexcept {
    if (!keeps_by_itself() || !copies_.has_room(number)) return;
    copies_.choose(number, !shared_);
    copies_.add(number, slab);
  }
  // Fills the records of a slab from what the parent left, once they are placed in the child.
  void fill_in_child(std::uintptr_t slab, std::uint32_t number) noexcept;
  // Says that the records of all slabs are placed, and filled in a child.
  void end_placing() noexcept;

  static std::uintptr_t thread() noexcept {
    return reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
  }
  // Returns whether this thread forks with copies, or is in an interrupted fork.
  bool is_in_fork() const noexcept {
    return notes().copied_by.load() == thread() || is_in_interrupted_fork();
  }
  // Returns whether no parent made copies for this child of a fork.
  bool keeps_by_itself() const noexcept { return !shared_ || !notes().is_child; }

  static OwnerLock::ForkNotes& notes() noexcept { return OwnerLock::fork_notes(); }

  std::atomic<bool>* placed_ = nullptr;
  StatsPageWriter* stats_ = nullptr;
  bool refused_ = false;  // the kernel refused to map a page again
  bool hidden_ = false;
  bool shared_ = false;    // records were placed on a page, in this process or in its parent
  bool has_sums_ = false;  // what the parent had counted is in a slab that was filled already
  StackCopies copies_;
};

}  // namespace bufpool
