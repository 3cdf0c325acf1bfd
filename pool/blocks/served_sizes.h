// SPDX-License-Identifier: MIT
// The requests that the pool serves, and the class that serves each.
#pragma once

#include <array>
#include <cstddef>

#include "pool/memory/size_classes.h"
#include "pool/options/options.h"

namespace bufpool {

// Sizes in bytes: `count` of them from `least` on.
struct SizeRange {
  std::size_t least = 0;
  std::size_t count = 0;

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

  // The range of sizes that serves() is true of; it is empty before open().
  SizeRange range() const noexcept { return range_; }

  [[nodiscard]] bool serves(std::size_t size) const noexcept { return range_.contains(size); }

  // Whether there is a buffer that has room for `size` bytes at a multiple of `alignment`, too.
  [[nodiscard]] bool serves_aligned(std::size_t alignment, std::size_t size) const noexcept {
    return serves(size) && serves(bytes_to_align(alignment, size));
  }

  // The size of a buffer that has `size` bytes at a multiple of `alignment` inside.
  [[nodiscard]] static std::size_t bytes_to_align(std::size_t alignment, std::size_t size) noexcept;

  // The class of the buffer for a request. Pre: serves(size).
  [[nodiscard]] ClassIndex class_for(std::size_t size) const noexcept {
    return server_of(class_step(size));
  }

  // The class that serves a step of the ladder: the next larger one in use. ClassIndex{0}: none.
  [[nodiscard]] ClassIndex server_of(ClassIndex step) const noexcept {
    return servers_[to_number(step)];
  }

  // Whether buffers of the class are handed out. The class may be beyond kLastClass by a few.
  [[nodiscard]] bool is_in_use(ClassIndex c) const noexcept {
    return c >= kFirstClass && c <= kLastClass && server_of(c) == c;
  }

  // Bytes of the buffer that a request gets. Pre: serves(size).
  [[nodiscard]] std::size_t granted(std::size_t size) const noexcept {
    return buffer_bytes(class_for(size));
  }

  // Smallest and largest request of the range, in bytes: those of the options, whether there is a
  // pool or not, and the defaults before choose().
  std::size_t least() const noexcept { return most_ == 0 ? kMinSize : least_; }
  std::size_t most() const noexcept { return most_ == 0 ? kMaxSize + kHeaderRoom : most_; }

 private:
  SizeRange range_;
  std::size_t least_ = 0;
  std::size_t most_ = 0;  // 0: choose() was not called yet
  std::array<ClassIndex, kClassSlots> servers_{};
};

}  // namespace bufpool
