// SPDX-License-Identifier: MIT
// Samples buffers: by which calls they come, and how long they are held.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/blocks/hit_tables.h"
#include "pool/sampling/sample_countdown.h"
#include "pool/sampling/sample_words.h"

namespace bufpool {

// Takes a sample of the gets (BUFPOOL_SAMPLE), and ends it when the buffer comes back. The block of
// a sampled buffer has a mark that sends its put the long way, where the end is noted. Before
// open() nothing is sampled.
//
// Any thread and any signal handler may call all but open() and tell_by(). Nothing here waits,
// allocates, takes a lock or changes errno.
class Sampler {
 public:
  // Maps the records. Returns false, and nothing is sampled, if the system refuses the memory.
  // `every` is the mean number of bytes asked for between two samples. Pre: it is called once,
  // while no other thread uses the pool; `tables` outlives this.
  [[nodiscard]] bool open(std::uint64_t every, const HitTables* tables) noexcept;

  // Returns whether gets are sampled.
  [[nodiscard]] bool is_on() const noexcept { return every_ != 0; }

  // Tells all on the page of this writer from now on. It outlives this.
  void tell_by(const StatsPageWriter* writer) noexcept { words_.tell_by(writer); }
  // Tells on a page that is new what is known by now.
  void tell_all() const noexcept {
    if (is_on()) words_.tell_all();
  }

  // Counts a get of `asked` bytes that a block was handed out for. Pre: the block is marked as in
  // use, and the program does not have it yet.
  void note_get(Block block, std::size_t asked) noexcept {
    if (is_on() && SampleCountdown::passes(asked, every_)) sample(block, asked);
  }

  // Notes that a buffer comes back. Pre: the caller is about to mark the block as free.
  void note_put(Block block) noexcept {
    if (is_on()) end(block);
  }

 private:
  [[gnu::cold, gnu::noinline]] void sample(Block block, std::size_t asked) noexcept;
  void end(Block block) noexcept;

  std::uint64_t every_ = 0;  // 0: nothing is sampled
  const HitTables* tables_ = nullptr;
  SampleWords words_;
};

}  // namespace bufpool
