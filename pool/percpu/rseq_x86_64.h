// SPDX-License-Identifier: MIT
// The restartable sequences, for x86-64: push and pop on the stacks of the CPU that runs them.
//
// A thread that is preempted, migrated or signalled between labels 1 and 2 is sent to the abort
// address, and from there to where the stack is empty or full. So all up to the last store sees one
// CPU's slab with nobody else in it, and that store commits. A sequence is not started over: that
// would never end where every instruction interrupts, as under a debugger that steps.
//
// The rules are Linux's (Documentation/userspace-api/rseq) and glibc's (manual, Restartable
// Sequences). The thread's area is libc's, and only its rseq_cs is written. A sequence makes no
// call and no system call. The signature stands in front of the abort address.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/percpu/rseq_abi.h"
#include "pool/percpu/slab.h"

namespace bufpool {

static_assert(offsetof(StatsStack, asked) == offsetof(StatsStack, header) + 8,
              "a pop stores both at once");

// Whether there are sequences for this processor.
inline constexpr bool kHaveSequences = true;

// The functions below are inlined into many others, so the assembler sees this text many times.
// Labels are numbers, which may repeat. The descriptor and the abort code have sections of their
// own, one for each copy ("unique"). They join the group of the function they are in ("?"). So the
// linker drops both with a function that nobody calls, or that another object file has as well, and
// keeps them with all others.

// BEGIN emits the descriptor and announces it. Label 1 is the first instruction of the sequence.
#define BUFPOOL_RSEQ_BEGIN                                   \
  ".pushsection __rseq_cs, \"aw?\", @progbits, unique, %=\n" \
  ".balign 32\n"                                             \
  "3: .long 0, 0\n"                                          \
  ".quad 1f, 2f - 1f, 4f\n"                                  \
  ".popsection\n"                                            \
  "lea 3b(%%rip), %[at]\n"                                   \
  "mov %[at], %c[descriptor_at](%[area])\n"                  \
  "1: mov %c[cpu_at](%[area]), %k[at]\n"                     \
  "mov (%[slabs],%[at],%c[word]), %[at]\n"                   \
  "add %[stack], %[at]\n"                                    \
  "mov %c[header_at](%[at]), %[header]\n"                    \
  "movzwl %w[header], %k[depth]\n"

// TOP loads the block on top of the stack into `depth`, ROOM looks whether there is room for one
// more, and SLOT puts `block` there. WORDS loads where the stack's words are, into the register of
// `slabs`, which is done with: one more would have to be saved around a hit. MOVED and TELL store
// the next count of blocks that moved, and the next header, in the words. TELL_BOTH stores the next
// header and the next sum of bytes at once.
//
// The stores are what telling costs (pool/README.md, "Where measurement changed the design"). So a
// counted pop makes no more of them than it would without words, and a push makes one more, which
// stands in front of those to the slab: behind the slot it cost a third of the pair.
#define BUFPOOL_RSEQ_TOP        \
  "test %k[depth], %k[depth]\n" \
  "jz %l[missed]\n"             \
  "mov %c[top_at](%[at],%[depth],%c[word]), %[depth]\n"
#define BUFPOOL_RSEQ_ROOM                \
  "cmp %c[limit_at](%[at]), %k[depth]\n" \
  "jae %l[missed]\n"
#define BUFPOOL_RSEQ_SLOT "mov %[block], %c[free_at](%[at],%[depth],%c[word])\n"
#define BUFPOOL_RSEQ_WORDS "mov %c[words_at](%[at]), %[slabs]\n"
#define BUFPOOL_RSEQ_MOVED            \
  "mov %c[moved_at](%[at]), %[sum]\n" \
  "add %[step], %[sum]\n"             \
  "mov %[sum], %c[told_moved_at](%[slabs])\n"
#define BUFPOOL_RSEQ_TELL "mov %[header], %c[told_header_at](%[slabs])\n"
#define BUFPOOL_RSEQ_TELL_BOTH  \
  "movq %[header], %%xmm0\n"    \
  "movq %[sum], %%xmm1\n"       \
  "punpcklqdq %%xmm1, %%xmm0\n" \
  "movups %%xmm0, %c[told_header_at](%[slabs])\n"

// END commits, and emits the abort code. That has a section apart from all other code: in
// .text.unlikely cold functions ran into the signature.
#define BUFPOOL_RSEQ_END                                            \
  "mov %[header], %c[header_at](%[at])\n"                           \
  "2:\n"                                                            \
  ".pushsection .text.rseq_abort, \"ax?\", @progbits, unique, %=\n" \
  ".byte %c[trap] & 0xff, (%c[trap] >> 8) & 0xff, %c[trap] >> 16\n" \
  ".long %c[signature]\n"                                           \
  "4: jmp %l[missed]\n"                                             \
  ".popsection\n"

#define BUFPOOL_RSEQ_OPERANDS                                                             \
  [area] "r"(area), [stack] "m"(stack), [descriptor_at] "i"(offsetof(RseqArea, rseq_cs)), \
      [cpu_at] "i"(offsetof(RseqArea, cpu_id_start)), [word] "i"(sizeof(SlabDistance)),   \
      [header_at] "i"(offsetof(Stack, header)), [words_at] "i"(offsetof(Stack, words)),   \
      [told_header_at] "i"(offsetof(StatsStack, header)), [trap] "i"(kRseqTrap),          \
      [signature] "i"(kRseqSignature)
#define BUFPOOL_RSEQ_OPERANDS_TO_MOVE \
  [moved_at] "i"(offsetof(Stack, moved)), [told_moved_at] "i"(offsetof(StatsStack, moved))
#define BUFPOOL_RSEQ_OPERANDS_TO_PUSH \
  [block] "r"(block), [limit_at] "i"(offsetof(Stack, limit)), [free_at] "i"(sizeof(Stack))
#define BUFPOOL_RSEQ_OPERANDS_TO_POP [top_at] "i"(sizeof(Stack) - sizeof(Block))

// Takes a block off this CPU's stack. Returns 0 if the stack is empty or the sequence was aborted.
// `slabs` has kMaxCpus + 1 distances. `stack` is the address of the class's stack in the empty
// slab; where it stands is read once more in the sequence, as an operand of an addition. `asked`
// bytes are added to the sum in the stack's words before the commit: an abort in between leaves
// them there without a hit, once in some 10^9 pops. Takes no lock; a signal handler may call it.
[[gnu::always_inline]] inline Block rseq_pop(RseqArea* area, const SlabDistance* slabs,
                                             const std::uintptr_t& stack,
                                             std::uint64_t asked) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  Block depth;  // then the block
  std::uint64_t sum;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_TOP
      BUFPOOL_RSEQ_WORDS
      "mov %c[asked_at](%[slabs]), %[sum]\n"
      "add %[asked], %[sum]\n"
      "add %[step], %[header]\n"
      BUFPOOL_RSEQ_TELL_BOTH
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth), [slabs] "+&r"(slabs),
        [sum] "=&r"(sum)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_POP, [asked] "r"(asked),
        [step] "e"(kCountedPop), [asked_at] "i"(offsetof(StatsStack, asked))
      : "memory", "cc", "xmm0", "xmm1"
      : missed);
  // clang-format on
  if (depth == 0) __builtin_unreachable();  // stacks hold blocks
  return depth;
missed:
  return 0;
}

// The same without counting a hit, for a block that moves to the spans. The count of blocks that
// moved is raised behind the sequence, as it commits one store: a thread of the same CPU may tell
// an old one in between, until the next block moves.
[[gnu::always_inline]] inline Block rseq_pop_uncounted(RseqArea* area, const SlabDistance* slabs,
                                                       const std::uintptr_t& stack) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  Block depth;  // then the block
  std::uint64_t sum;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_TOP
      BUFPOOL_RSEQ_WORDS
      BUFPOOL_RSEQ_MOVED
      "add %[step], %[header]\n"
      BUFPOOL_RSEQ_TELL
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth), [slabs] "+&r"(slabs),
        [sum] "=&r"(sum)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_POP, BUFPOOL_RSEQ_OPERANDS_TO_MOVE,
        [step] "e"(kUncountedPop)
      : "memory", "cc"
      : missed);
  // clang-format on
  add_moved(*reinterpret_cast<Stack*>(at), kUncountedPop);
  if (depth == 0) __builtin_unreachable();  // stacks hold blocks
  return depth;
missed:
  return 0;
}

// Puts a block on this CPU's stack. Returns false if the stack is at its limit or the sequence was
// aborted. The parameters are those of rseq_pop(). Takes no lock; a signal handler may call it.
[[gnu::always_inline]] inline bool rseq_push(RseqArea* area, const SlabDistance* slabs,
                                             const std::uintptr_t& stack, Block block) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t depth;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_ROOM
      BUFPOOL_RSEQ_WORDS
      "inc %[header]\n"
      BUFPOOL_RSEQ_TELL
      BUFPOOL_RSEQ_SLOT
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth), [slabs] "+&r"(slabs)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_PUSH
      : "memory", "cc"
      : missed);
  // clang-format on
  return true;
missed:
  return false;
}

// The same for a block that moves from the spans, and that no program put; see
// rseq_pop_uncounted().
[[gnu::always_inline]] inline bool rseq_push_uncounted(RseqArea* area, const SlabDistance* slabs,
                                                       const std::uintptr_t& stack,
                                                       Block block) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t depth;
  std::uint64_t sum;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_ROOM
      BUFPOOL_RSEQ_WORDS
      BUFPOOL_RSEQ_MOVED
      "inc %[header]\n"
      BUFPOOL_RSEQ_TELL
      BUFPOOL_RSEQ_SLOT
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth), [slabs] "+&r"(slabs),
        [sum] "=&r"(sum)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_PUSH, BUFPOOL_RSEQ_OPERANDS_TO_MOVE,
        [step] "e"(kUncountedPush)
      : "memory", "cc"
      : missed);
  // clang-format on
  add_moved(*reinterpret_cast<Stack*>(at), kUncountedPush);
  return true;
missed:
  return false;
}

#undef BUFPOOL_RSEQ_BEGIN
#undef BUFPOOL_RSEQ_TOP
#undef BUFPOOL_RSEQ_ROOM
#undef BUFPOOL_RSEQ_SLOT
#undef BUFPOOL_RSEQ_TELL
#undef BUFPOOL_RSEQ_TELL_BOTH
#undef BUFPOOL_RSEQ_WORDS
#undef BUFPOOL_RSEQ_MOVED
#undef BUFPOOL_RSEQ_END
#undef BUFPOOL_RSEQ_OPERANDS
#undef BUFPOOL_RSEQ_OPERANDS_TO_MOVE
#undef BUFPOOL_RSEQ_OPERANDS_TO_PUSH
#undef BUFPOOL_RSEQ_OPERANDS_TO_POP

}  // namespace bufpool
