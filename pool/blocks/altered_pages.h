// SPDX-License-Identifier: MIT
// Marks buffers whose pages the program alters, and renews the pages of those that come back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/hit_tables.h"
#include "pool/options/options.h"

namespace bufpool {

// Knows the buffers whose pages are not what they were: protected, locked, kept from children,
// mapped over. A put that hits looks at one word only, so a buffer is marked when its pages are
// altered, in a way that makes its put go the long way, where it gets fresh ones.
class AlteredPages {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    AllSpans* spans = nullptr;
  };
  // The parts outlive this. `zero` tells which memory is wiped. Pre: it is called once.
  void open(const Parts& parts, ZeroChoice zero) noexcept {
    parts_ = parts;
    zero_ = zero;
  }

  // The program is about to alter the pages of [start, start + bytes): a buffer that it gives back
  // so is no use to the next. Nothing happens if new system calls are to be avoided. It takes no
  // lock. A signal handler may call it.
  void note(std::uintptr_t start, std::size_t bytes, Alteration how) noexcept;

  // Pages moved into a block in use, of the allocator underneath or in several mappings. Nothing is
  // known of what the program did to the former, and mappings must not add up, so the block gets
  // fresh pages when it comes back. Pre: the class of the block has more than two words.
  void note_moved_in(Block block) noexcept {
    alteration(block) = marks().cookies().altered(block, Alteration::kMovedIn);
  }

  // Tells whether a block that was in use has to get fresh pages: the program altered its own, or
  // they were moved in. `c` is its class.
  [[nodiscard]] bool has(Block block, ClassIndex c) const noexcept;

  // Tells whether note_moved_in() was called for a block, and the program did not alter its pages
  // since.
  [[nodiscard]] bool has_moved_in(Block block, ClassIndex c) const noexcept {
    return has_more_words(c) && is_noted(block, Alteration::kMovedIn);
  }

  enum class Renewed : std::uint8_t {
    kYes,
    kEmpty,  // the span knows that the pages have no memory, and the block must come back to it
    kNo,     // the pages are usable as they are
    kLost,   // the pages cannot be written, and nobody can use the block
  };
  // Gives a block that is marked as free fresh pages in the place of its own. If the kernel refuses
  // that, pages that are still ours serve, if they can be written. Pre: has(block, c).
  [[nodiscard]] Renewed renew(Block block, ClassIndex c) noexcept;

 private:
  bool is_noted(Block block, Alteration how) const noexcept {
    return alteration(block) == marks().cookies().altered(block, how);
  }
  void mark(Block block, ClassIndex c, Alteration how) noexcept;

  const BlockMarks& marks() const noexcept { return parts_.tables->marks(); }

  Parts parts_;
  ZeroChoice zero_ = ZeroChoice::kOff;
};

}  // namespace bufpool
