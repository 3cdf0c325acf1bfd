// SPDX-License-Identifier: MIT
// Owns a descriptor, and closes it at the end.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace bufpool {

class Descriptor {
 public:
  Descriptor() noexcept = default;

  // Owns nothing.
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() { static_cast<void>(close()); }

  // Takes a descriptor over. A number below 0 is none.
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  // Return whether it has a descriptor, and the descriptor.
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
  [[nodiscard]] int number() const noexcept { return number_; }

  // Closes it now, if it is open. Returns 0, or the error of close(2).
  [[nodiscard]] int close() noexcept {
    if (!is_open()) return 0;
    return ::close(std::exchange(number_, -1)) == 0 ? 0 : errno;
  }

 private:
  int number_ = -1;
};

}  // namespace bufpool
