// SPDX-License-Identifier: MIT
// Has the restartable sequences for x86-64: push and pop on the stacks of the CPU that runs them.
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

#include "pool/slabs/rseq_abi.h"
#include "pool/slabs/slab.h"

namespace bufpool {

static_assert(offsetof(Stack, moved) == offsetof(Stack, header) + 8,
              "COMMIT_BOTH stores both at once");

// Says whether there are sequences for this processor.
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
  "1: movslq %c[cpu_at](%[area]), %[at]\n"                   \
  "mov (%[slabs],%[at],%c[word]), %[at]\n"                   \
  "add %[stack], %[at]\n"                                    \
  "mov %c[header_at](%[at]), %[header]\n"                    \
  "movzwl %w[header], %k[top]\n"

// BLOCK loads the block on top of the stack, ROOM looks whether there is room for one more, and
// SLOT puts `block` there.
#define BUFPOOL_RSEQ_BLOCK                            \
  "mov %c[block_at](%[at],%[top],%c[word]), %[top]\n" \
  "test %[top], %[top]\n"                             \
  "jz %l[missed]\n"
#define BUFPOOL_RSEQ_ROOM              \
  "cmp %c[limit_at](%[at]), %k[top]\n" \
  "jae %l[missed]\n"
#define BUFPOOL_RSEQ_SLOT "mov %[block], (%[at],%[top],%c[word])\n"

// COMMIT stores the next header. COMMIT_BOTH stores it and the next count of blocks that moved by
// one instruction.
#define BUFPOOL_RSEQ_COMMIT "mov %[header], %c[header_at](%[at])\n"
#define BUFPOOL_RSEQ_COMMIT_BOTH        \
  "add %c[moved_at](%[at]), %[moved]\n" \
  "movq %[header], %%xmm0\n"            \
  "movq %[moved], %%xmm1\n"             \
  "punpcklqdq %%xmm1, %%xmm0\n"         \
  "movups %%xmm0, %c[header_at](%[at])\n"

// END comes right behind the store that commits, and emits the abort code. That has a section apart
// from all other code: in .text.unlikely cold functions ran into the signature.
#define BUFPOOL_RSEQ_END                                            \
  "2:\n"                                                            \
  ".pushsection .text.rseq_abort, \"ax?\", @progbits, unique, %=\n" \
  ".byte %c[trap] & 0xff, (%c[trap] >> 8) & 0xff, %c[trap] >> 16\n" \
  ".long %c[signature]\n"                                           \
  "4: jmp %l[missed]\n"                                             \
  ".popsection\n"

#define BUFPOOL_RSEQ_OPERANDS                                                                     \
  [area] "r"(area), [slabs] "r"(slabs), [stack] "r"(stack),                                       \
      [descriptor_at] "i"(offsetof(RseqArea, rseq_cs)), [cpu_at] "i"(offsetof(RseqArea, cpu_id)), \
      [word] "i"(sizeof(SlabDistance)), [header_at] "i"(offsetof(Stack, header)),                 \
      [trap] "i"(kRseqTrap), [signature] "i"(kRseqSignature)

#define BUFPOOL_RSEQ_OPERANDS_TO_POP [block_at] "i"(-static_cast<int>(sizeof(Block)))
#define BUFPOOL_RSEQ_OPERANDS_TO_PUSH [block] "r"(block), [limit_at] "i"(offsetof(Stack, limit))
#define BUFPOOL_RSEQ_OPERANDS_TO_MOVE [moved_at] "i"(offsetof(Stack, moved))

// Returns kNoBlock where a sequence missed. With -fsanitize=undefined the compiler must not know
// that it is zero: g++ 12 then took the register of an output for it, which holds anything after an
// abort. Without that flag the code of all copies is right, and a test more would cost
// instructions.
[[gnu::always_inline]] inline Block no_block() noexcept {
  std::uint64_t none = to_address(kNoBlock);
#if defined(__SANITIZE_ADDRESS__)  // g++ has no such name for the other flag, which comes with it
  asm("" : "+r"(none));
#endif
  return Block{none};
}

// Takes a block off this CPU's stack. Returns kNoBlock if the stack is empty or the sequence was
// aborted. `slabs` has kMaxCpus + 1 distances, and kNoCpus of 0 before them. `stack` is the address
// of the class's stack in the empty slab. `asked` bytes are added to the stack's sum before the
// commit: an abort in between leaves them there without a hit, once in some 10^9 pops. It takes no
// lock, and a signal handler may call it.
[[gnu::always_inline]] inline Block rseq_pop(RseqArea* area, const SlabDistance* slabs,
                                             std::uintptr_t stack, std::uint64_t asked) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t top;  // then the address of the block
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_BLOCK
      "add %[asked], %c[asked_at](%[at])\n"
      "add %[step], %[header]\n"
      BUFPOOL_RSEQ_COMMIT
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [top] "=&r"(top)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_POP, [asked] "r"(asked),
        [step] "e"(kCountedPop), [asked_at] "i"(offsetof(Stack, asked))
      : "memory", "cc"
      : missed);
  // clang-format on
  if (top == 0) __builtin_unreachable();  // that missed
  return Block{top};
missed:
  return no_block();
}

// Does the same without counting a hit, for a block that moves to the spans.
[[gnu::always_inline]] inline Block rseq_pop_uncounted(RseqArea* area, const SlabDistance* slabs,
                                                       std::uintptr_t stack) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t top;  // then the address of the block
  std::int64_t moved = kUncountedPop;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_BLOCK
      "dec %[header]\n"
      BUFPOOL_RSEQ_COMMIT_BOTH
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [top] "=&r"(top), [moved] "+&r"(moved)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_POP, BUFPOOL_RSEQ_OPERANDS_TO_MOVE
      : "memory", "cc", "xmm0", "xmm1"
      : missed);
  // clang-format on
  if (top == 0) __builtin_unreachable();  // that missed
  return Block{top};
missed:
  return no_block();
}

// Puts a block on this CPU's stack. Returns false if the stack is at its limit or the sequence was
// aborted. The parameters are those of rseq_pop(). It takes no lock, and a signal handler may call
// it.
[[gnu::always_inline]] inline bool rseq_push(RseqArea* area, const SlabDistance* slabs,
                                             std::uintptr_t stack, Block block) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t top;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_ROOM
      BUFPOOL_RSEQ_SLOT
      "inc %[header]\n"
      BUFPOOL_RSEQ_COMMIT
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [top] "=&r"(top)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_PUSH
      : "memory", "cc"
      : missed);
  // clang-format on
  return true;
missed:
  return false;
}

// Does the same for a block that moves from the spans, and that no program put.
[[gnu::always_inline]] inline bool rseq_push_uncounted(RseqArea* area, const SlabDistance* slabs,
                                                       std::uintptr_t stack, Block block) noexcept {
  std::uintptr_t at;
  std::uint64_t header;
  std::uint64_t top;
  std::int64_t moved = kUncountedPush;
  // clang-format off
  asm volatile goto(
      BUFPOOL_RSEQ_BEGIN
      BUFPOOL_RSEQ_ROOM
      BUFPOOL_RSEQ_SLOT
      "inc %[header]\n"
      BUFPOOL_RSEQ_COMMIT_BOTH
      BUFPOOL_RSEQ_END
      : [at] "=&r"(at), [header] "=&r"(header), [top] "=&r"(top), [moved] "+&r"(moved)
      : BUFPOOL_RSEQ_OPERANDS, BUFPOOL_RSEQ_OPERANDS_TO_PUSH, BUFPOOL_RSEQ_OPERANDS_TO_MOVE
      : "memory", "cc", "xmm0", "xmm1"
      : missed);
  // clang-format on
  return true;
missed:
  return false;
}

#undef BUFPOOL_RSEQ_BEGIN
#undef BUFPOOL_RSEQ_BLOCK
#undef BUFPOOL_RSEQ_ROOM
#undef BUFPOOL_RSEQ_SLOT
#undef BUFPOOL_RSEQ_COMMIT
#undef BUFPOOL_RSEQ_COMMIT_BOTH
#undef BUFPOOL_RSEQ_END
#undef BUFPOOL_RSEQ_OPERANDS
#undef BUFPOOL_RSEQ_OPERANDS_TO_POP
#undef BUFPOOL_RSEQ_OPERANDS_TO_PUSH
#undef BUFPOOL_RSEQ_OPERANDS_TO_MOVE

}  // namespace bufpool
