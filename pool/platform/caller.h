// SPDX-License-Identifier: MIT
// Tells where the program called the library from. Only slow paths need it. So it is handed down as
// a function that they call: a value would be loaded by a hit, too.
#pragma once

namespace bufpool {

// Returns nullptr: nothing is known of the caller.
struct UnknownCaller {
  const void* operator()() const noexcept { return nullptr; }
};

// Returns an address that was found out before.
struct KnownCaller {
  const void* address;
  const void* operator()() const noexcept { return address; }
};

// Returns the return address of the function that this one and all that pass it on are inlined
// into.
struct ReturnAddress {
  [[gnu::always_inline]] const void* operator()() const noexcept {
    return __builtin_return_address(0);
  }
};

}  // namespace bufpool
