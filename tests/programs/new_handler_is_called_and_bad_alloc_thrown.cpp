// SPDX-License-Identifier: MIT
// Promise: an operator new that cannot serve calls the new_handler until there is none, and then
//   throws std::bad_alloc. This holds for the plain, array and aligned forms.
#include <cstdint>
#include <new>

#include "tests/programs/promise.h"

namespace {

int calls;

void give_up_at_the_third() {
  if (++calls == 3) std::set_new_handler(nullptr);
}

template <typename Request>
void expect_thrown(Request request) {
  calls = 0;
  std::set_new_handler(give_up_at_the_third);
  bool thrown = false;
  try {
    request();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  promise::keep(thrown, "std::bad_alloc");
  promise::keep(calls == 3, "after three calls of the handler");
}

}  // namespace

int main() {
  for (const std::size_t bytes : {PTRDIFF_MAX + 1UL, SIZE_MAX - (1UL << 20)}) {
    const std::size_t size = promise::hide(bytes);
    constexpr std::align_val_t kAligned{256};
    expect_thrown([=] { promise::put(operator new(size)); });
    expect_thrown([=] { promise::put(operator new[](size)); });
    expect_thrown([=] { promise::put(operator new(size, kAligned)); });
    expect_thrown([=] { promise::put(operator new[](size, kAligned)); });
  }
}
