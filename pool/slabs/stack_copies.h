// SPDX-License-Identifier: MIT
// Keeps for a forked child what the stacks of its parent held and had counted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/size_classes.h"
#include "pool/slabs/slab.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

// Holds the sums of a class's stacks.
struct StackSums {
  std::uint64_t hits;
  std::uint64_t moved;
  std::uint64_t asked;  // bytes asked for by the hits
  std::uint64_t depth;  // blocks that are cached
};

// Copies stacks, but for their blocks, which are in memory of the child's own. A fork writes all of
// it, and each page that it writes is one to copy. So the counts are kept as sums over all slabs,
// and of each stack only its top and its limit. The sums and the stacks of the first slabs lie
// where a fork writes anyway, and the stacks of some ten further slabs share a page. Any thread
// that may change the slabs may call anything.
class StackCopies {
 public:
  // Makes room for so many slabs, once. Returns false if the kernel refuses the memory.
  [[nodiscard]] bool open(std::uint32_t slabs) noexcept;

  // Returns whether there is room for the stacks of the slab with this number.
  [[nodiscard]] bool has_room(std::uint32_t number) const noexcept { return number < slabs_; }
  // Notes whether the stacks of the slab are to be copied. Pre: has_room().
  void choose(std::uint32_t number, bool chosen) noexcept { row(number).chosen = chosen; }
  // Returns whether they are, or were.
  [[nodiscard]] bool has(std::uint32_t number) const noexcept {
    return has_room(number) && row(number).chosen;
  }

  // Forgets all sums.
  void clear() noexcept;
  // Adds the counts of the slab to the sums, and copies its stacks if they were chosen. Pre: if
  // they were, nobody changes them.
  void add(std::uint32_t number, std::uintptr_t slab) noexcept;

  // Returns the sums of a class.
  [[nodiscard]] const StackSums& sums(ClassIndex c) const noexcept { return sums_of(c); }
  // Gives the stacks of a slab the tops and limits that were copied. Pre: has(); the stacks are
  // empty, and nobody else reaches them.
  void fill(std::uint32_t number, std::uintptr_t slab) const noexcept;
  // Adds the sums to the counts of the slab's stacks. Pre: as for fill().
  void fill_sums(std::uintptr_t slab) const noexcept;

 private:
  struct Row {
    bool chosen;
    struct {
      std::uint16_t top;
      std::uint16_t limit;
    } stacks[kClassSlots];
  };
  static constexpr std::size_t kSumsBytes = kClassSlots * sizeof(StackSums);
  static constexpr std::uint32_t kNear = (OwnerLock::kForkRoom - kSumsBytes) / sizeof(Row);

  static StackSums& sums_of(ClassIndex c) noexcept {
    return reinterpret_cast<StackSums*>(OwnerLock::fork_room().data())[to_number(c)];
  }
  Row& row(std::uint32_t number) const noexcept {
    if (number >= kNear) return far_[number - kNear];
    return reinterpret_cast<Row*>(OwnerLock::fork_room().data() + kSumsBytes)[number];
  }

  Row* far_ = nullptr;
  std::uint32_t slabs_ = 0;
};

}  // namespace bufpool
