// SPDX-License-Identifier: MIT
// The restartable sequences, for x86-64: push and pop on the stacks of the CPU that runs them.
//
// A thread preempted, migrated or signalled between labels 1 and 2 is sent to the abort address,
// and from there to where the stack is empty or full; so all up to the last store sees one CPU's
// slab with nobody else in it, and that store commits. Starting over instead would never end where
// every instruction interrupts: under a debugger that steps. The rules (Linux,
// Documentation/userspace-api/rseq; glibc manual, Restartable Sequences): the thread's area is
// libc's, only its rseq_cs is written; no call and no system call in between; the signature stands
// before the abort address.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/percpu/slab.h"

namespace bufpool {

// The front of struct rseq, as the kernel lays it out.
struct alignas(32) RseqArea {
  std::uint32_t cpu_id_start;  // always a valid index
  std::uint32_t cpu_id;
  std::uint64_t rseq_cs;
};
static_assert(offsetof(RseqArea, rseq_cs) == 8);

// cpu -> where its slab is, relative to the empty slab. 0, the empty slab itself: the CPU is
// unknown or being drained.
using SlabDistance = std::uintptr_t;

// Descriptor, then: announce it (label 1 is the first instruction of the sequence). The abort code
// stands in a section of its own: cold functions are in .text.unlikely, and would run into it.
#define BUFPOOL_RSEQ_BEGIN           \
  ".pushsection __rseq_cs, \"aw\"\n" \
  ".balign 32\n"                     \
  "3: .long 0, 0\n"                  \
  ".quad 1f, 2f - 1f, 4f\n"          \
  ".popsection\n"                    \
  "lea 3b(%%rip), %[at]\n"           \
  "mov %[at], 8(%[area])\n"          \
  "1: mov (%[area]), %k[at]\n"       \
  "mov (%[slabs],%[at],8), %[at]\n"  \
  "add %[stack], %[at]\n"            \
  "mov (%[at]), %[header]\n"         \
  "movzwl %w[header], %k[depth]\n"

#define BUFPOOL_RSEQ_END(aborted)           \
  "mov %[header], (%[at])\n"                \
  "2:\n"                                    \
  ".pushsection .text.rseq_abort, \"ax\"\n" \
  ".byte 0x0f, 0xb9, 0x3d\n"                \
  ".long 0x53053053\n"                      \
  "4: jmp %l[" #aborted                     \
  "]\n"                                     \
  ".popsection\n"

// Takes a block off this CPU's stack; 0: it is empty, or the sequence was aborted. `stack`: the
// address of the class's stack in the empty slab. `step`: kOneHit - 1 counts a hit, -1 moves a
// block unseen. `asked` is added to the stack's sum before the commit: an abort in between leaves
// it there without a hit, once in some 10^9 pops.
template <std::int64_t step>
[[gnu::always_inline]] inline Block rseq_pop(RseqArea* area, const SlabDistance* slabs,
                                             std::uintptr_t stack, std::uint64_t asked) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  Block depth;  // then the block
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      "test %k[depth], %k[depth]\n"
      "jz %l[empty]\n"
      "mov 32(%[at],%[depth],8), %[depth]\n"
      "add %[asked], 8(%[at])\n"
      "add %[step], %[header]\n"
      BUFPOOL_RSEQ_END(empty)
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth)
      : [area] "r"(area), [slabs] "r"(slabs), [stack] "r"(stack), [asked] "r"(asked),
        [step] "e"(step)
      : "memory", "cc"
      : empty);
  // clang-format on
  if (depth == 0) __builtin_unreachable();  // stacks hold blocks
  return depth;
empty:
  return 0;
}

// Puts a block on this CPU's stack. False: it is at its limit, or the sequence was aborted.
[[gnu::always_inline]] inline bool rseq_push(RseqArea* area, const SlabDistance* slabs,
                                             std::uintptr_t stack, Block block) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t depth;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      "cmp 16(%[at]), %k[depth]\n"
      "jae %l[full]\n"
      "mov %[block], 40(%[at],%[depth],8)\n"
      "inc %[header]\n"
      BUFPOOL_RSEQ_END(full)
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth)
      : [area] "r"(area), [slabs] "r"(slabs), [stack] "r"(stack), [block] "r"(block)
      : "memory", "cc"
      : full);
  // clang-format on
  return true;
full:
  return false;
}

#undef BUFPOOL_RSEQ_BEGIN
#undef BUFPOOL_RSEQ_END

}  // namespace bufpool
