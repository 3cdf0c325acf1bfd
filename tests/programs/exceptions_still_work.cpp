// SPDX-License-Identifier: MIT
// Promise: std::bad_alloc that operator new throws is an exception like any other: it is caught by
//   its base, kept, thrown on, nested and counted, also in a thread, and its unwinding runs
//   destructors.
#include <cstdint>
#include <exception>
#include <new>
#include <thread>

#include "tests/programs/promise.h"

namespace {

int unwound;

struct Witness {
  ~Witness() { unwound += std::uncaught_exceptions(); }
};

std::exception_ptr thrown_by_new() {
  try {
    const Witness witness;
    promise::put(operator new(promise::hide(SIZE_MAX - 64)));
  } catch (const std::exception& caught) {
    promise::keep(dynamic_cast<const std::bad_alloc*>(&caught) != nullptr, "its type is known");
    promise::keep(strstr(caught.what(), "bad_alloc") != nullptr, "its text is known");
    promise::keep(std::uncaught_exceptions() == 0, "it is caught");
    return std::current_exception();
  }
  return nullptr;
}

void work() {
  const std::exception_ptr kept = thrown_by_new();
  promise::keep(kept != nullptr, "it can be kept");
  bool again = false;
  try {
    std::rethrow_exception(kept);
  } catch (const std::bad_alloc&) {
    again = true;
  }
  promise::keep(again, "and thrown on");
  promise::keep(std::uncaught_exceptions() == 0, "none is left");
  promise::keep(std::current_exception() == nullptr, "none is current");
}

}  // namespace

int main() {
  for (int i = 0; i < 100; ++i) work();
  std::thread(work).join();
  promise::keep(unwound == 101, "destructors saw one exception each");
}
