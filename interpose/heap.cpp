// SPDX-License-Identifier: MIT
#include "interpose/heap.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "interpose/lifecycle/lifecycle.h"
#include "interpose/scarce_space.h"
#include "interpose/thread_space.h"
#include "pool/platform/memory.h"

namespace bufpool {

constinit BufferPool the_pool;
constinit std::atomic<std::uint64_t> Heap::passed_above_{0};
constinit std::atomic<std::uint64_t> Heap::passed_within_{0};

namespace {

constexpr std::size_t kLeastAlignment = 16;

// Tells whether a process like this may have such a block. mimalloc's mappings reserve nothing, so
// the kernel would give more than the machine has, where libc's malloc fails.
bool may_be_had(std::size_t size) noexcept {
  return backing::is_possible(size) && (size <= kMaxSize || platform::would_be_granted(size));
}

}  // namespace

void Heap::reset_counters() noexcept {
  PassCounter::reset();
  clear_counter(passed_above_);
  clear_counter(passed_within_);
}

// A request within the range comes here only where there is no pool, or none yet.
void Heap::count_passed(std::size_t size) noexcept {
  if (size < the_pool.sizes().least()) {
    // A handler that asked between two steps of this may have taken the count past its end.
    const bool due = PassCounter::count();
    if (due || !PassCounter::began()) PassCounter::tell();
  } else {
    const bool above = size > the_pool.sizes().most();
    (above ? passed_above_ : passed_within_).fetch_add(1, std::memory_order_relaxed);
    tell_passed();
  }
}

// A small request that fails has ENOMEM from what backing::open() set up. A thread's first one
// keeps errno. If mimalloc has no memory, the pool gives its idle buffers back, and mimalloc is
// asked again.
template <typename Ask>
void* Heap::ask(std::size_t size, Ask call) noexcept {
  const auto ask_once = [&]() noexcept -> void* {
    if (size < kMinSize) return call();
    return backing::keeping_errno([&] { return may_be_had(size) ? call() : nullptr; });
  };
  const int kept = errno;
  void* memory = ask_once();
  if (memory != nullptr || !may_be_had(size)) return memory;
  for (Retries retries = the_pool.control().retries(); memory == nullptr && retries.next(true);) {
    errno = kept;
    memory = ask_once();
  }
  return memory;
}

Passed Heap::passed() noexcept { return {PassCounter::told(), passed_above(), passed_within()}; }

void Heap::tell_passed_below(const std::atomic<std::uint64_t>& requests) noexcept {
  the_pool.control().stats().tell_passed_below(requests);
}

void Heap::tell_passed() noexcept { the_pool.control().stats().tell_passed(); }

// It does what ask() does. If mimalloc has no memory for a small request, `take` gets a buffer of
// the pool's smallest class, or of a larger one.
template <typename Ask, typename Take>
void* Heap::ask_or_take(std::size_t size, Ask call, Take take) noexcept {
  const int kept = errno;
  void* const memory = ask(size, call);
  if (memory != nullptr || size >= kMinSize || !scarce_space::pool_serves_small()) return memory;
  errno = kept;
  return take();
}

// Counts a request that the pool does not want, unless `counted` says that it is none to count.
// Returns false if the request is for the pool's smallest class all the same.
bool Heap::passes_on(std::size_t size, Counted counted) noexcept {
  const bool served = size >= kMinSize || PassCounter::began();
  ThreadSpace::Share share;
  if (!served && scarce_space::is_better_pooled(share)) return false;
  if (counted == Counted::kYes) {
    count_passed(size);
  } else if (!served) {
    PassCounter::begin();
  }
  if (served || PassCounter::began()) return true;
  for (Retries retries = the_pool.control().retries(); retries.next(true);) {
    PassCounter::begin();
    if (PassCounter::began()) return true;
  }
  scarce_space::note_backing_refused();
  return !scarce_space::pool_serves_small();
}

void* Heap::allocate_telling(std::size_t size) noexcept {
  const auto take = [] { return the_pool.take_aligned(kLeastAlignment, kMinSize, nullptr); };
  PassCounter::put_off();
  if (!passes_on(size)) return take();
  return ask_or_take(
      size, [size] { return backing::allocate(size); }, take);
}

// The first request of a buffer's size brings the pool to life here. All requests that are not the
// pool's end here: above its range, below a raised one, or with the pool out of service.
void* Heap::allocate_unpooled(std::size_t size, const void* caller) noexcept {
  if (start_pool() && the_pool.sizes().serves(size)) {
    return the_pool.take_aligned(kLeastAlignment, size, caller);
  }
  count_passed(size);
  return ask(size, [size] { return backing::allocate(size); });
}

void* Heap::allocate_zeroed_for(std::size_t size, const void* caller) noexcept {
  if (the_pool.sizes().serves(size)) return the_pool.take_zeroed(size, caller);
  if (size >= kMinSize && start_pool() && the_pool.sizes().serves(size)) {
    return the_pool.take_zeroed(size, caller);
  }
  const auto take = [caller] { return the_pool.take_zeroed(kMinSize, caller); };
  if (!passes_on(size)) return take();
  return ask_or_take(
      size, [size] { return backing::allocate_zeroed(size); }, take);
}

void* Heap::allocate_aligned_for(std::size_t alignment, std::size_t size,
                                 const void* caller) noexcept {
  const bool alive = size >= kMinSize && start_pool();
  if (alive && the_pool.sizes().serves_aligned(alignment, size)) {
    return the_pool.take_aligned(alignment, size, caller);
  }
  const auto take = [=] { return the_pool.take_aligned(alignment, kMinSize, caller); };
  // The room that an alignment takes may lead out of the range.
  const bool within = alive && the_pool.sizes().serves(size);
  if (!passes_on(within ? the_pool.sizes().most() + 1 : size)) return take();
  return ask_or_take(
      size, [=] { return backing::allocate_aligned(alignment, size); }, take);
}

std::size_t Heap::usable_size(void* pointer) noexcept {
  return the_pool.owns(pointer) ? the_pool.usable_size(pointer) : backing::usable_size(pointer);
}

// The old block stays if there is no memory for a smaller one, as glibc's does.
void* Heap::resize_elsewhere(void* pointer, std::size_t size, const void* caller) noexcept {
  const int kept = errno;
  void* const resized = resize_or_move(pointer, size, caller);
  if (resized != nullptr || size > usable_size(pointer)) return resized;
  errno = kept;
  return pointer;
}

// mimalloc is asked first where both could have the block. A small one that it has no memory for
// moves to the pool.
void* Heap::resize_or_move(void* pointer, std::size_t size, const void* caller) noexcept {
  const auto move_it = [=] { return move(pointer, usable_size(pointer), size, caller); };
  if (the_pool.owns(pointer) || the_pool.sizes().serves(size)) return move_it();
  if (!passes_on(size, Counted::kNo)) return move_it();
  return ask_or_take(
      size, [=] { return backing::resize(pointer, size); }, move_it);
}

void* Heap::move(void* pointer, std::size_t old_size, std::size_t size,
                 const void* caller) noexcept {
  if (!may_be_had(size)) {
    errno = ENOMEM;
    return nullptr;
  }
  const std::size_t kept = std::min(old_size, size);
  if (void* const moved = the_pool.resize(pointer, kept, size, caller)) {
    if (!the_pool.sizes().serves(size)) count_passed(size);
    return moved;
  }
  void* const moved = allocate(size, KnownCaller{caller});
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, pointer, kept);
  release(pointer, KnownCaller{caller});
  return moved;
}

}  // namespace bufpool
