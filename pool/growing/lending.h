// SPDX-License-Identifier: MIT
// Bounds the bytes that blocks hold beyond what their buffers need.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/addresses/size_classes.h"
#include "pool/blocks/block_marks.h"
#include "pool/retention/retention.h"

namespace bufpool {

// Keeps the account of what is lent: the bytes that blocks larger than what is asked for keep
// resident, which are idle blocks of larger classes and room to grow. It is bounded over the whole
// process.
//
// Any thread and any signal handler may call all. The caller owns the block, and holds no lock.
class Lending {
 public:
  // Connects the parts. `retention` outlives this. Pre: it is called once.
  void open(Retention* retention, const BlockMarks& marks) noexcept {
    retention_ = retention;
    marks_ = marks;
  }

  // Tells whether `bytes` more may be lent. It may learn the limits of the process's memory.
  [[nodiscard]] bool allows(std::uint64_t bytes) noexcept;

  // Notes that a growing buffer keeps `bytes` beyond what it needs. Classes below 1 KiB have no
  // word for that, and lend nothing.
  void note_room(Block block, ClassIndex c, std::uint64_t bytes) noexcept;

  // Notes that a growing buffer keeps `bytes` beyond what it needs, if it was not lent as many
  // before. It returns false, and notes nothing, if that is too much, or if the class has no word
  // for it.
  [[nodiscard]] bool lends_room(Block block, ClassIndex c, std::uint64_t bytes) noexcept;

  // Notes that a block of class `c` is handed out for a request of the smaller class `wanted`.
  void note_borrowed(Block block, ClassIndex c, ClassIndex wanted) noexcept;

  // Notes that a buffer comes back, and with it what it was lent. `state` is that of its block,
  // which is still in use.
  void end(Block block, ClassIndex c, BlockState state) noexcept;

 private:
  Retention* retention_ = nullptr;
  BlockMarks marks_;
  std::atomic<std::uint64_t> lent_{0};
};

}  // namespace bufpool
