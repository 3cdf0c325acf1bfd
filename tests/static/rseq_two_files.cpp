// SPDX-License-Identifier: MIT
// Has sequences in two object files, for rseq_descriptors.sh, which compiles it with PART=1 and
// PART=2. Both have copies of the same inline functions, of which the linker keeps one, and
// functions of their own, used and unused. A pop and a push from each part must work.
#include <sys/rseq.h>

#include <cstdint>
#include <cstdio>

#include "pool/percpu/rseq_x86_64.h"

namespace bufpool {

// This is a slab for all CPUs, and not the library's.
extern char all_slabs[2 * kSlabLayout.bytes];
extern SlabDistance distances[kMaxCpus + 1];

inline RseqArea* area() {
  return reinterpret_cast<RseqArea*>(static_cast<char*>(__builtin_thread_pointer()) +
                                     __rseq_offset);
}
inline std::uintptr_t stack() {
  return reinterpret_cast<std::uintptr_t>(all_slabs) + kSlabLayout.stack[to_number(kFirstClass)];
}

// The same in both files: one is discarded.
[[gnu::noinline]] inline Block pop_shared() { return rseq_pop(area(), distances, stack(), 1); }
template <typename>
[[gnu::noinline]] bool push_shared(Block block) {
  return rseq_push(area(), distances, stack(), block);
}

// A sequence that is aborted looks like one that found nothing.
template <typename Sequence>
auto tried(Sequence sequence) {
  auto result = sequence();
  for (int i = 0; i < 100 && result == decltype(result){}; ++i) result = sequence();
  return result;
}

constexpr Block kFirst{64};
constexpr Block kSecond{128};

bool other_part_works();

#if PART == 1
char all_slabs[2 * kSlabLayout.bytes];
SlabDistance distances[kMaxCpus + 1];

bool push_unused_1(Block block) { return rseq_push(area(), distances, stack(), block); }
bool push_own_1(Block block) { return rseq_push(area(), distances, stack(), block); }
#else
bool push_unused_2(Block block) { return rseq_push(area(), distances, stack(), block); }
bool push_own_2(Block block) { return rseq_push(area(), distances, stack(), block); }

bool other_part_works() {
  return tried([] { return push_shared<int>(kFirst); }) && tried(pop_shared) == kFirst &&
         tried([] { return push_own_2(kSecond); }) && tried(pop_shared) == kSecond;
}
#endif

}  // namespace bufpool

#if PART == 1
int main() {
  using namespace bufpool;
  if (__rseq_size == 0) return 77;
  for (SlabDistance& distance : distances) distance = kSlabLayout.bytes;
  const auto slab = reinterpret_cast<std::uintptr_t>(all_slabs) + kSlabLayout.bytes;
  open_slab(slab);
  stack_of(slab, kFirstClass).limit = bottom_of(kFirstClass) + 4;
  const bool works = tried([] { return push_shared<int>(kFirst); }) &&
                     tried(pop_shared) == kFirst && tried([] { return push_own_1(kSecond); }) &&
                     tried(pop_shared) == kSecond;
  return works && other_part_works() ? 0 : 1;
}
#endif
