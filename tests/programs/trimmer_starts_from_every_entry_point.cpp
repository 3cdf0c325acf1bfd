// SPDX-License-Identifier: MIT
// Promise: the thread that gives memory back is started from each function that a program gets or
//   frees its buffers by. It is not started if libc calls that function.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1m
#include <malloc.h>
#include <search.h>

#include <new>

#include "tests/programs/memory.h"
#include "tests/programs/workers.h"

namespace {

constexpr std::size_t kIdle = 3'000'000;
constexpr std::size_t kAsked = 1'500'000;
constexpr std::align_val_t kAligned{4096};

std::array<void*, 16> idle;
std::array<void*, 16> asked;

// libc itself gives buffers back here.
void free_from_libc() {
  void* root = nullptr;
  for (void* memory : idle) {
    tsearch(memory, &root,
            [](const void* a, const void* b) { return a == b ? 0 : (a < b ? -1 : 1); });
  }
  tdestroy(root, free);
}

void expect_a_start_by(void* (*entry)(void*), bool with_buffers) {
  for (void*& memory : idle) memory = promise::get<void>(kIdle);
  for (void*& memory : asked) memory = with_buffers ? promise::get<void>(kAsked) : nullptr;
  free_from_libc();
  promise::keep(promise::trimmer_thread() == 0, "libc starts none");
  for (void*& memory : asked) memory = promise::hide(entry(promise::hide(memory)));
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "this does");
}

struct Entry {
  const char* name;
  void* (*call)(void*);
  bool with_buffers = false;
};

void* given_back(void (*give)(void*), void* memory) {
  give(memory);
  return nullptr;
}

void* posix_aligned() {
  void* memory = nullptr;
  promise::keep(posix_memalign(&memory, 64, kAsked) == 0, "memory");
  return memory;
}

constexpr Entry kEntries[] = {
    {"malloc", [](void*) { return malloc(kAsked); }},
    {"calloc", [](void*) { return calloc(1, kAsked); }},
    {"realloc of nothing", [](void*) { return realloc(nullptr, kAsked); }},
    {"realloc", [](void* memory) { return realloc(memory, 2 * kAsked); }, true},
    {"realloc to less", [](void* memory) { return realloc(memory, 700); }, true},
    {"realloc to 0", [](void* memory) { return realloc(memory, 0); }, true},
    {"reallocarray", [](void* memory) { return reallocarray(memory, 2, kAsked); }, true},
    {"memalign", [](void*) { return memalign(64, kAsked); }},
    {"aligned_alloc", [](void*) { return aligned_alloc(64, kAsked); }},
    {"posix_memalign", [](void*) { return posix_aligned(); }},
    {"valloc", [](void*) { return valloc(kAsked); }},
    {"pvalloc", [](void*) { return pvalloc(kAsked); }},
    {"new", [](void*) { return operator new(kAsked); }},
    {"new[]", [](void*) { return operator new[](kAsked); }},
    {"nothrow new", [](void*) { return operator new(kAsked, std::nothrow); }},
    {"nothrow new[]", [](void*) { return operator new[](kAsked, std::nothrow); }},
    {"aligned new", [](void*) { return operator new(kAsked, kAligned); }},
    {"aligned new[]", [](void*) { return operator new[](kAsked, kAligned); }},
    {"aligned nothrow new", [](void*) { return operator new(kAsked, kAligned, std::nothrow); }},
    {"aligned nothrow new[]", [](void*) { return operator new[](kAsked, kAligned, std::nothrow); }},
    {"free", [](void* memory) { return given_back(free, memory); }, true},
    {"delete", [](void* memory) { return given_back(operator delete, memory); }, true},
    {"delete[]", [](void* memory) { return given_back(operator delete[], memory); }, true},
};

}  // namespace

// Each runs in a process of its own, because the thread stays for a while.
int main() {
  for (const Entry& entry : kEntries) {
    const pid_t child = fork();
    if (child == 0) {
      expect_a_start_by(entry.call, entry.with_buffers);
      _exit(0);
    }
    int status = 0;
    promise::keep(waitpid(child, &status, 0) == child && status == 0, entry.name);
  }
}
