// SPDX-License-Identifier: MIT
// Marks buffers whose pages the program protects, and mends those that come back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/hit_tables.h"
#include "pool/memory/chunk_space.h"

namespace bufpool {

// Marks the buffers whose pages the program alters. A put that hits looks at one word only, so a
// buffer is marked in a way that makes its put go the long way, which mends the pages.
class AlteredPages {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    AllSpans* spans = nullptr;
    const ChunkSpace* space = nullptr;
  };
  // The parts outlive this. Pre: it is called once.
  void open(const Parts& parts) noexcept { parts_ = parts; }

  // The program has taken rights from the pages of [start, start + bytes): a buffer that it gives
  // back so is no use to the next. Nothing happens where new system calls are to be avoided. A
  // signal handler may call it.
  void note(std::uintptr_t start, std::size_t bytes) noexcept;

  // Tells whether the program altered pages of a block that is out. `c` is its class.
  [[nodiscard]] bool has(Block block, ClassIndex c) const noexcept;

  // Makes the pages usable again. False: the kernel refuses, and nobody else can use the block.
  // Pre: has(block, c).
  [[nodiscard]] bool mend(Block block, ClassIndex c) noexcept;

 private:
  void mark(Block block, ClassIndex c) noexcept;

  const BlockMarks& marks() const noexcept { return parts_.tables->marks(); }

  Parts parts_;
};

}  // namespace bufpool
