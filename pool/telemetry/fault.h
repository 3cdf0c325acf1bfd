// SPDX-License-Identifier: MIT
// Describes a program's mistake with a buffer, which is found when the program hands the buffer in.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

struct Fault {
  enum class Kind : std::uint8_t {
    kDoubleFree,    // the buffer is free already
    kInnerPointer,  // the address is inside a buffer, not its start
    kInFront,       // the address is in front of a buffer, where its guard line is
    kOverrun,       // what stands in front of the buffer was overwritten
    kNotHandedOut,  // the address is in the pool's range, but never was a buffer
  };
  // Names the call that the program made. Each form of free and of operator delete is kFree.
  enum class Call : std::uint8_t { kFree, kRealloc };

  Kind kind;
  Call call;
  bool buffer_is_free;          // is told of kInnerPointer and kInFront
  std::uintptr_t address;       // as passed to the call
  std::uintptr_t buffer;        // the buffer that it belongs to
  std::uintptr_t overrun_from;  // the buffer in front of `buffer`; 0 if there is none
  std::size_t class_bytes;      // nominal size of the class; 0 if there is none
};

// Handles the first fault, with which the pool calls it. It is expected not to return. The process
// traps if there is no handler.
using FaultHandler = void (*)(const Fault&);

}  // namespace bufpool
