// SPDX-License-Identifier: MIT
// Tells which requests the pool serves, and the class that serves each.
#pragma once

#include <array>
#include <cstddef>

#include "pool/addresses/size_classes.h"
#include "pool/options/options.h"

namespace bufpool {

// A range has `count` sizes in bytes, from `least` on.
struct SizeRange {
  std::size_t least = 0;
  std::size_t count = 0;

  // Tells whether `size` is one of them.
  [[gnu::always_inline]] bool contains(std::size_t size) const noexcept {
    return size - least < count;
  }
};

// The classes in use and the range of sizes, as the options have them. It is written once, while no
// other thread uses the pool. After that any thread and any signal handler may call all.
class ServedSizes {
 public:
  // Reads the options. least() and most() are known then, and serves() is still false.
  void choose(const Options& options) noexcept;

  // From now on serves() is true of the sizes that choose() found.
  void open() noexcept;

  // Returns the range of sizes that serves() is true of; it is empty before open().
  SizeRange range() const noexcept { return range_; }

  // Tells whether a request of `size` bytes is served.
  [[nodiscard]] bool serves(std::size_t size) const noexcept { return range_.contains(size); }

  // Tells whether there is a buffer that has room for `size` bytes at a multiple of `alignment`,
  // too.
  [[nodiscard]] bool serves_aligned(std::size_t alignment, std::size_t size) const noexcept {
    return serves(size) && serves(bytes_to_align(alignment, size));
  }

  // Returns the size of a buffer that has `size` bytes at a multiple of `alignment` inside.
  [[nodiscard]] static std::size_t bytes_to_align(std::size_t alignment, std::size_t size) noexcept;

  // Returns the class of the buffer for a request. Pre: serves(size).
  [[nodiscard]] ClassIndex class_for(std::size_t size) const noexcept {
    return server_of(class_step(size));
  }

  // Returns the class that serves a step of the ladder, which is the next larger one in use, or
  // ClassIndex{0} if there is none.
  [[nodiscard]] ClassIndex server_of(ClassIndex step) const noexcept {
    return servers_[to_number(step)];
  }

  // Tells whether buffers of the class are handed out. The class may be beyond kLastClass by a few.
  [[nodiscard]] bool is_in_use(ClassIndex c) const noexcept {
    return c >= kFirstClass && c <= kLastClass && server_of(c) == c;
  }

  // Returns the bytes of the buffer that a request gets. Pre: serves(size).
  [[nodiscard]] std::size_t granted(std::size_t size) const noexcept {
    return buffer_bytes(class_for(size));
  }

  // These are the smallest and largest request of the range, in bytes, as the options have them,
  // whether there is a pool or not. Before choose() they are the defaults.
  std::size_t least() const noexcept { return most_ == 0 ? kMinSize : least_; }
  std::size_t most() const noexcept { return most_ == 0 ? kMaxSize + kHeaderRoom : most_; }

 private:
  SizeRange range_;
  std::size_t least_ = 0;
  std::size_t most_ = 0;  // it is 0 until choose() is called
  std::array<ClassIndex, kClassSlots> servers_{};
};

}  // namespace bufpool
