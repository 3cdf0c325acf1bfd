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

// END commits, and emits the abort code. That has a section apart from all other code: in
// .text.unlikely cold functions ran into the signature.
#define BUFPOOL_RSEQ_END(aborted)                                   \
  "mov %[header], %c[header_at](%[at])\n"                           \
  "2:\n"                                                            \
  ".pushsection .text.rseq_abort, \"ax?\", @progbits, unique, %=\n" \
  ".byte %c[trap] & 0xff, (%c[trap] >> 8) & 0xff, %c[trap] >> 16\n" \
  ".long %c[signature]\n"                                           \
  "4: jmp %l[" #aborted                                             \
  "]\n"                                                             \
  ".popsection\n"

#define BUFPOOL_RSEQ_OPERANDS                                                           \
  [area] "r"(area), [slabs] "r"(slabs), [stack] "r"(stack),                             \
      [descriptor_at] "i"(offsetof(RseqArea, rseq_cs)),                                 \
      [cpu_at] "i"(offsetof(RseqArea, cpu_id_start)), [word] "i"(sizeof(SlabDistance)), \
      [header_at] "i"(offsetof(Stack, header)), [trap] "i"(kRseqTrap),                  \
      [signature] "i"(kRseqSignature)

// Takes a block off this CPU's stack. Returns 0 if the stack is empty or the sequence was aborted.
// `slabs` has kMaxCpus + 1 distances. `stack` is the address of the class's stack in the empty
// slab. `step` is kCountedPop or kUncountedPop. `asked` bytes are added to the stack's sum before
// the commit: an abort in between leaves them there without a hit, once in some 10^9 pops. Takes no
// lock; a signal handler may call it.
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
      "mov %c[top_at](%[at],%[depth],%c[word]), %[depth]\n"
      "add %[asked], %c[asked_at](%[at])\n"
      "add %[step], %[header]\n"
      BUFPOOL_RSEQ_END(empty)
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth)
      : BUFPOOL_RSEQ_OPERANDS, [asked] "r"(asked), [step] "e"(step),
        [asked_at] "i"(offsetof(Stack, asked)), [top_at] "i"(sizeof(Stack) - sizeof(Block))
      : "memory", "cc"
      : empty);
  // clang-format on
  if (depth == 0) __builtin_unreachable();  // stacks hold blocks
  return depth;
empty:
  return 0;
}

// Puts a block on this CPU's stack. Returns false if the stack is at its limit or the sequence was
// aborted. The parameters are those of rseq_pop(). Takes no lock; a signal handler may call it.
[[gnu::always_inline]] inline bool rseq_push(RseqArea* area, const SlabDistance* slabs,
                                             std::uintptr_t stack, Block block) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t depth;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      "cmp %c[limit_at](%[at]), %k[depth]\n"
      "jae %l[full]\n"
      "mov %[block], %c[free_at](%[at],%[depth],%c[word])\n"
      "inc %[header]\n"
      BUFPOOL_RSEQ_END(full)
      : [at] "=&r"(at), [header] "=&r"(header), [depth] "=&r"(depth)
      : BUFPOOL_RSEQ_OPERANDS, [block] "r"(block),
        [limit_at] "i"(offsetof(Stack, limit)), [free_at] "i"(sizeof(Stack))
      : "memory", "cc"
      : full);
  // clang-format on
  return true;
full:
  return false;
}

#undef BUFPOOL_RSEQ_BEGIN
#undef BUFPOOL_RSEQ_END
#undef BUFPOOL_RSEQ_OPERANDS

}  // namespace bufpool
