// SPDX-License-Identifier: MIT
// Wraps malloc and free as a profiler does: finds the next ones by dlsym at the first call and
// passes on to them. It is for two_preloads_in_both_orders.
#include <dlfcn.h>

#include <atomic>
#include <cstddef>

namespace {

std::atomic<unsigned long> calls;

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) noexcept {
  static auto* const kNext = next<void*(std::size_t)>("malloc");
  calls.fetch_add(1, std::memory_order_relaxed);
  return kNext(bytes);
}

void free(void* memory) noexcept {
  static auto* const kNext = next<void(void*)>("free");
  calls.fetch_add(1, std::memory_order_relaxed);
  kNext(memory);
}

unsigned long counted_calls() { return calls.load(); }
}
