// SPDX-License-Identifier: MIT
// Promise: every name of the family is the library's. Otherwise the memory would be freed by
//   another allocator than gave it out.
// Needs: library
#include <dlfcn.h>

#include "tests/programs/promise.h"

namespace {

constexpr const char* kNames[] = {
    "malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc",
    "posix_memalign", "valloc", "pvalloc", "malloc_usable_size", "free_sized", "free_aligned_sized",
    "cfree", "malloc_trim", "mallinfo", "mallinfo2", "malloc_info", "malloc_stats", "mallopt",
    // operator new, new[]: plain, nothrow, aligned, both
    "_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t", "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t", "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    // operator delete, delete[]: plain, sized, nothrow, aligned, and their mixtures
    "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZdlPvRKSt9nothrow_t", "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t", "_ZdaPvSt11align_val_t", "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t", "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t"};

}  // namespace

int main() {
  const char* preloaded = getenv("LD_PRELOAD");
  bool all = true;
  for (const char* name : kNames) {
    Dl_info where{};
    void* found = dlsym(RTLD_DEFAULT, name);
    if (found != nullptr && dladdr(found, &where) != 0 && where.dli_fname != nullptr &&
        strstr(preloaded, where.dli_fname) != nullptr) {
      continue;
    }
    dprintf(STDERR_FILENO, "%s is of %s\n", name, found == nullptr ? "nobody" : where.dli_fname);
    all = false;
  }
  promise::keep(all, "every name is the library's");
}
