// SPDX-License-Identifier: MIT
// Tells where the program called us from. Only slow paths need it, so it is handed down as a
// function that they call: a hit would load a value, too.
#pragma once

namespace bufpool {

struct UnknownCaller {
  const void* operator()() const noexcept { return nullptr; }
};

struct KnownCaller {
  const void* address;
  const void* operator()() const noexcept { return address; }
};

// The return address of the function that this and all who pass it on are inlined into.
struct ReturnAddress {
  [[gnu::always_inline]] const void* operator()() const noexcept {
    return __builtin_return_address(0);
  }
};

}  // namespace bufpool
