// SPDX-License-Identifier: MIT
// Marks buffers whose pages the program alters, and renews the pages of those that come back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/hit_tables.h"
#include "pool/options/options.h"

namespace bufpool {

// The ways in which a program alters pages.
enum class Alteration : std::uint8_t {
  kInPlace,   // they are protected, locked, advised
  kReplaced,  // they may be gone, or others in their place
};

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

  // Tells whether the program altered pages of a block that was in use. `c` is its class.
  [[nodiscard]] bool has(Block block, ClassIndex c) const noexcept;

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
  void mark(Block block, ClassIndex c, Alteration how) noexcept;

  const BlockMarks& marks() const noexcept { return parts_.tables->marks(); }

  Parts parts_;
  ZeroChoice zero_ = ZeroChoice::kOff;
};

}  // namespace bufpool
