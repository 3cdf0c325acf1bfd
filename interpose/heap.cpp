// SPDX-License-Identifier: MIT
#include "interpose/heap.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "interpose/lifecycle.h"
#include "interpose/scarce_space.h"

namespace bufpool {

constinit BufferPool the_pool;
constinit std::atomic<std::uint64_t> Heap::passed_above_{0};
constinit std::atomic<std::uint64_t> Heap::passed_within_{0};

namespace {

constexpr std::size_t kLeastAlignment = 16;

}  // namespace

void Heap::reset_counters() noexcept {
  PassCounter::reset();
  clear_counter(passed_above_);
  clear_counter(passed_within_);
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

// Counts a request that the pool does not want. Returns false if it is for the pool's smallest
// class all the same.
bool Heap::passes_on(std::size_t size) noexcept {
  if (scarce_space::is_better_pooled(size)) return false;
  count_passed(size);
  if (size >= kMinSize || PassCounter::began()) return true;
  scarce_space::note_backing_refused();
  return !scarce_space::is_better_pooled(size);
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
  if (!the_pool.owns(pointer) && !the_pool.sizes().serves(size) &&
      !scarce_space::is_better_pooled(size)) {
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
