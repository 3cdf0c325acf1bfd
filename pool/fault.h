// SPDX-License-Identifier: MIT
// What a program did wrong with a buffer, found at its free. Leaf.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

struct Fault {
  enum class Kind : std::uint8_t {
    kDoubleFree,    // the buffer is free already
    kInnerPointer,  // the address is inside a buffer, not its start
    kOverrun,       // what stands in front of the buffer was overwritten
    kNotHandedOut,  // the address is in the pool's range, but never was a buffer
  };
  Kind kind;
  std::uintptr_t address;       // as passed to free
  std::uintptr_t buffer;        // the buffer that it belongs to
  std::uintptr_t overrun_from;  // of an overrun: the buffer that ends where the damage begins
  std::size_t class_bytes;      // nominal size of the class
};

// Called with the first fault; expected not to return. Without one the process traps.
using FaultHandler = void (*)(const Fault&);

}  // namespace bufpool
