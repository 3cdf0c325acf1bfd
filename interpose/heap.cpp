// SPDX-License-Identifier: MIT
#include "interpose/heap.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "interpose/lifecycle.h"
#include "pool/platform/platform.h"

namespace bufpool {

constinit BufferPool the_pool;
constinit std::atomic<std::uint64_t> Heap::passed_above_{0};
constinit std::size_t Heap::space_limit_{0};
constinit Refusal Heap::space_refused_;
constinit Refusal Heap::backing_refused_;
constinit std::atomic<std::uint64_t> Heap::passed_within_{0};
constinit std::atomic<std::uint64_t> PassCounter::told_{0};
constinit thread_local std::uint32_t PassCounter::left_{~std::uint32_t{0}};
constinit thread_local bool PassCounter::began_{false};

namespace {

constexpr std::size_t kLeastAlignment = 16;

// The first request of a thread makes mimalloc set itself up for it, the first of all look about
// the machine, which costs errno its value. Not done at start: many a process never asks. False:
// there is no memory for it.
bool wake_backing() noexcept {
  const int kept = errno;
  backing::open();
  void* const first = backing::allocate(kMinSize);
  backing::release(first);
  errno = kept;
  return first != nullptr;
}

// Writes what differs only: in a forked child a page that is written is one to copy.
void clear(std::atomic<std::uint64_t>& counter) noexcept {
  if (counter.load(std::memory_order_relaxed) != 0) counter.store(0, std::memory_order_relaxed);
}

}  // namespace

void PassCounter::tell() noexcept {
  told_.fetch_add(began_ ? kStep : 1, std::memory_order_relaxed);
  if (!began_) began_ = wake_backing();
  left_ = began_ ? -kStep : ~std::uint32_t{0};
  Heap::tell_passed();
}

std::uint64_t PassCounter::total() noexcept {
  const std::uint32_t untold = began_ ? left_ + kStep : 0;
  return told_.load(std::memory_order_relaxed) + untold;
}

void PassCounter::reset() noexcept {
  clear(told_);
  if (began_) left_ = -kStep;
}

void Heap::reset_counters() noexcept {
  PassCounter::reset();
  clear(passed_above_);
  clear(passed_within_);
}

// A request within the range comes here only where there is no pool, or none yet.
void Heap::count_passed(std::size_t size) noexcept {
  if (size < the_pool.sizes().least()) {
    if (PassCounter::count()) PassCounter::tell();
  } else {
    const bool above = size > the_pool.sizes().most();
    (above ? passed_above_ : passed_within_).fetch_add(1, std::memory_order_relaxed);
    tell_passed();
  }
}

// A small request that fails has ENOMEM from what backing::open() set up, and a thread's first one
// keeps errno.
template <typename Ask>
void* Heap::ask(std::size_t size, Ask call) noexcept {
  if (size < kMinSize) return call();
  return backing::keeping_errno([&] { return backing::is_possible(size) ? call() : nullptr; });
}

void Heap::tell_passed() noexcept {
  the_pool.control().stats().tell_passed({PassCounter::told(), passed_above(), passed_within()});
}

void Heap::learn_limit() noexcept {
  const std::size_t limit = platform::address_space_limit();
  if (limit != SIZE_MAX) space_limit_ = limit;
}

// A thread after the first is given no more than an eighth of what is left: those to come need
// their stacks. The limit was asked for at start, as a process that has locked itself in may be
// killed for that call; how much is used is read from a file.
bool Heap::is_short_of_space() noexcept {
  constexpr std::size_t kShare = 8;
  if (space_refused_.stands()) return true;
  if (space_limit_ == 0 || PassCounter::total() == 0) return false;
  if (platform::address_space_used() + kShare * backing::kThreadBytes <= space_limit_) return false;
  space_refused_.note();
  return true;
}

// Whether a small request is better served by the pool's smallest class: mimalloc has not served
// this thread yet, and would set address space aside for it. The smallest class may be a large one
// (BUFPOOL_CLASSES): then a few small requests take more than that, and it is the last resort.
bool Heap::spares_backing(std::size_t size) noexcept {
  constexpr std::size_t kRequests = 4096;  // that a thread may make
  if (size >= kMinSize || PassCounter::began() || !the_pool.sizes().serves(kMinSize)) return false;
  if (backing_refused_.stands()) return true;
  return the_pool.sizes().granted(kMinSize) <= backing::kThreadBytes / kRequests &&
         is_short_of_space();
}

// False: the request is for the pool's smallest class.
bool Heap::passes_on(std::size_t size) noexcept {
  if (spares_backing(size)) return false;
  count_passed(size);
  if (size >= kMinSize || PassCounter::began()) return true;
  backing_refused_.note();
  return !spares_backing(size);
}

void* Heap::allocate_telling(std::size_t size) noexcept {
  PassCounter::put_off();
  if (passes_on(size)) return backing::allocate(size);
  return the_pool.take_aligned(kLeastAlignment, kMinSize, nullptr);
}

// The first request of a buffer's size brings the pool to life here. All requests end here that are
// not the pool's: above its range, below a raised one, or with the pool out of service.
void* Heap::allocate_unpooled(std::size_t size, const void* caller) noexcept {
  if (start_pool() && the_pool.sizes().serves(size)) {
    return the_pool.wants(size) ? the_pool.take(size, KnownCaller{caller})
                                : the_pool.take_zeroed(size, caller);
  }
  count_passed(size);
  return ask(size, [size] { return backing::allocate(size); });
}

void* Heap::allocate_zeroed_for(std::size_t size, const void* caller) noexcept {
  if (the_pool.sizes().serves(size)) return the_pool.take_zeroed(size, caller);
  if (size >= kMinSize && start_pool() && the_pool.sizes().serves(size)) {
    return the_pool.take_zeroed(size, caller);
  }
  if (!passes_on(size)) return the_pool.take_zeroed(kMinSize, caller);
  return ask(size, [size] { return backing::allocate_zeroed(size); });
}

void* Heap::allocate_aligned_for(std::size_t alignment, std::size_t size,
                                 const void* caller) noexcept {
  const bool alive = size >= kMinSize && start_pool();
  if (alive && the_pool.sizes().serves_aligned(alignment, size)) {
    return the_pool.take_aligned(alignment, size, caller);
  }
  // The room that an alignment takes may lead out of the range.
  if (!passes_on(alive && the_pool.sizes().serves(size) ? the_pool.sizes().most() + 1 : size)) {
    return the_pool.take_aligned(alignment, kMinSize, caller);
  }
  return ask(size, [=] { return backing::allocate_aligned(alignment, size); });
}

std::size_t Heap::usable_size(void* pointer) noexcept {
  return the_pool.owns(pointer) ? the_pool.usable_size(pointer) : backing::usable_size(pointer);
}

// Where there is no memory for a smaller block the old one stays, as glibc's does.
void* Heap::resize_elsewhere(void* pointer, std::size_t size, const void* caller) noexcept {
  const int kept = errno;
  void* const resized = resize_or_move(pointer, size, caller);
  if (resized != nullptr || size > usable_size(pointer)) return resized;
  errno = kept;
  return pointer;
}

void* Heap::resize_or_move(void* pointer, std::size_t size, const void* caller) noexcept {
  if (!the_pool.owns(pointer) && !the_pool.sizes().serves(size) && !spares_backing(size)) {
    return ask(size, [=] { return backing::resize(pointer, size); });
  }
  return move(pointer, usable_size(pointer), size, caller);
}

void* Heap::move(void* pointer, std::size_t old_size, std::size_t size,
                 const void* caller) noexcept {
  void* const moved = allocate_for(size, KnownCaller{caller});
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, pointer, std::min(old_size, size));
  release_for(pointer, KnownCaller{caller});
  return moved;
}

}  // namespace bufpool
