// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_slabs.h"

#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/platform/sequences.h"

namespace bufpool {
namespace {

// The area of all threads that are not attached yet. It names the CPU that never has a slab.
constinit RseqArea no_area{kMaxCpus, 0, 0};
// The same for threads in vfork, which are not to be attached.
constinit RseqArea vfork_area{kMaxCpus, 0, 0};

// Where the self-test tells what it does.
constinit StatsStack words_of_test{};

// The number of a slab among those of its kind, and how many there will be at most.
std::uint32_t number_of(const SequencedSlabs& /*slabs*/, std::uintptr_t slab) noexcept {
  return head_of(slab).cpu;
}
std::uint32_t number_of(const LockedShards& shards, std::uintptr_t slab) noexcept {
  return static_cast<std::uint32_t>((slab - shards.slab(0)) / kSlabLayout.bytes);
}
std::uint32_t most_slabs(const SequencedSlabs& /*slabs*/) noexcept {
  return platform::possible_cpus();
}
std::uint32_t most_slabs(const LockedShards& shards) noexcept { return shards.count(); }

}  // namespace

alignas(4096) constinit char empty_slab[kSlabLayout.bytes] = {};
constinit thread_local RseqArea area_without_cpu [[gnu::tls_model("initial-exec")]]{kMaxCpus, 0, 0};
constinit thread_local RseqArea* thread_area [[gnu::tls_model("initial-exec")]] = &no_area;

RseqArea* leave_sequences() noexcept {
  RseqArea* const area = thread_area;
  thread_area = &vfork_area;
  // A signal handler may look next, and the child.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return area;
}

void return_to_sequences(RseqArea* area) noexcept { thread_area = area; }

OwnedSlab::OwnedSlab(SlabDistance& visible, SlabDistance distance, std::uint32_t cpu) noexcept
    : visible_(visible),
      distance_(distance),
      swung_(std::atomic_ref(visible).exchange(0) != 0),
      owned_(swung_ && platform::restart_sequences(cpu)) {}

OwnedSlab::~OwnedSlab() {
  if (swung_) std::atomic_ref(visible_).store(distance_, std::memory_order_release);
}

namespace {

// Tests whether sequences work: the kernel serves this thread, and a sequence pops the block that
// another has pushed. Pre: called once, while no other thread uses the slabs.
bool sequences_work(SequencedSlabs& slabs) noexcept {
  if (!kHaveSequences || !slabs.attach_thread()) return false;
  constexpr Block kBlock = 64;
  for (int tries = 0; tries < 4; ++tries) {  // more than one, as the thread may be moved
    slabs.attach_thread();
    const std::uintptr_t slab = slabs.here();
    if (slab == 0) return false;
    Stack& stack = stack_of(slab, kFirstClass);
    stack.words.store(&words_of_test);
    stack.limit.store(1);
    const bool pushed = slabs.push<kUncountedPush>(kFirstClass, kBlock);
    const Block popped = slabs.pop<kUncountedPop>(kFirstClass, 0);
    stack.limit.store(0);
    stack.header.store(0);
    stack.moved.store(0);
    if (pushed && popped == kBlock) return true;
  }
  return false;
}

}  // namespace

bool SequencedSlabs::attach_thread() noexcept {
  if (thread_area == &vfork_area) return false;
  auto* area = static_cast<RseqArea*>(platform::rseq_area());
  if (area == nullptr) return false;
  // libc writes a negative number if the kernel refused to serve this thread.
  const std::uint32_t cpu = *const_cast<volatile std::uint32_t*>(&area->cpu_id);
  if (cpu >= kMaxCpus) return false;
  thread_area = area;
  install(cpu);
  return true;
}

void SequencedSlabs::install(std::uint32_t cpu) noexcept {
  if (slabs_[cpu].load(std::memory_order_relaxed) != 0 || slab_refused_.stands()) return;
  void* slab = platform::map(kSlabLayout.bytes);
  if (slab == nullptr) return slab_refused_.note();
  const SlabDistance distance = reinterpret_cast<std::uintptr_t>(slab) - empty_slab_address();
  head_of(reinterpret_cast<std::uintptr_t>(slab)).cpu = cpu;
  SlabDistance none = 0;
  if (!slabs_[cpu].compare_exchange_strong(none, distance)) {
    platform::unreserve(slab, kSlabLayout.bytes);
    return;
  }
  std::uint32_t seen = cpus_seen_.load();
  while (seen <= cpu && !cpus_seen_.compare_exchange_weak(seen, cpu + 1)) {
  }
  installed_.fetch_add(1, std::memory_order_relaxed);
  visible_.show(cpu, distance);
}

std::uintptr_t SequencedSlabs::here() const noexcept {
  const std::uint32_t cpu = *const_cast<volatile std::uint32_t*>(&thread_area->cpu_id_start);
  return cpu < kMaxCpus ? slab(cpu) : 0;
}

void SequencedSlabs::show_all() noexcept {
  const std::uint32_t cpus = cpus_seen_.load(std::memory_order_relaxed);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    visible_.show(cpu, slabs_[cpu].load(std::memory_order_relaxed));
  }
}

PoolMode CpuSlabs::open(PoolMode wanted) noexcept {
  if (wanted != PoolMode::kLocked && sequences_work(sequenced_)) {
    platform::prepare_restarts();
    expected_ = platform::usable_cpus();
    return mode_ = PoolMode::kRseq;
  }
  thread_area = &no_area;
  if (!shards_.open()) return PoolMode::kPassThrough;
  expected_ = shards_.count();
  return mode_ = PoolMode::kLocked;
}

void CpuSlabs::repair_in_child() noexcept {
  shards_.repair_in_child();
  if (!words_.are_hidden_in_children()) sequenced_.show_all();
}

void StackWords::open(CpuSlabs* slabs, StatsPageWriter* stats) noexcept {
  slabs_ = slabs;
  stats_ = stats;
  slabs->shards_.heed(stats);
  stats->open(slabs->sequenced_.visible().stats_word());
}

bool StackWords::give(std::uintptr_t slab, ClassIndex c) noexcept {
  if (!are_settled()) return false;
  if (is_used(slab, c)) return true;
  StatsStack* words = &own_words_of(slab, c);
  if (stats_ != nullptr && stats_->has_region()) {
    const std::uint32_t number =
        slabs_->with([slab](const auto& slabs) { return number_of(slabs, slab); });
    if (StatsStack* const told = stats_->stack(number, to_number(c))) words = told;
  }
  stack_of(slab, c).words.store(words, std::memory_order_relaxed);
  note_used(slab, c);
  return true;
}

bool StackWords::prepare() noexcept {
  return hidden_ = slabs_->sequenced_.visible().forget_in_children();
}

std::uint32_t StackWords::shards() const noexcept {
  return slabs_->with([](const auto& slabs) { return most_slabs(slabs); });
}

template <typename Visit>
void StackWords::for_each_used_stack(Visit visit) noexcept {
  slabs_->for_each([&](auto& slabs, std::uint32_t number) {
    const std::uintptr_t slab = slabs.slab(number);
    for_each_used_class(slab, [&](ClassIndex c) { visit(slab, c, stack_of(slab, c)); });
  });
}

void StackWords::tell_again() noexcept {
  for_each_used_stack([](std::uintptr_t, ClassIndex, const Stack& stack) {
    StatsStack& words = *stack.words.load(std::memory_order_relaxed);
    put_word(words.moved, stack.moved.load(std::memory_order_relaxed));
    put_word(words.header, stack.header.load(std::memory_order_relaxed));
  });
}

void StackWords::leave_page() noexcept {
  for_each_used_stack([](std::uintptr_t slab, ClassIndex c, Stack& stack) {
    stack.words.store(&own_words_of(slab, c), std::memory_order_relaxed);
  });
}

void StackWords::show_stacks() noexcept { slabs_->sequenced_.show_all(); }

}  // namespace bufpool
