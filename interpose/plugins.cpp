// SPDX-License-Identifier: MIT
// dlopen, for plug-ins that would not find us. RTLD_DEEPBIND binds a plug-in to libc's own malloc
// and free before any preloaded ones, while what it is handed by libc and by the program is ours:
// the first of our buffers that it frees would be the end of the process (PHP loads every extension
// so). Without the flag it finds us as all others do.
#include <dlfcn.h>

#include <atomic>

#include "interpose/lifecycle.h"
#include "interpose/message.h"

namespace bufpool {
namespace {

using Dlopen = void* (*)(const char*, int) noexcept;

Dlopen next_dlopen() noexcept {
  static constinit std::atomic<Dlopen> next{nullptr};
  if (next.load(std::memory_order_relaxed) == nullptr) {
    next.store(reinterpret_cast<Dlopen>(dlsym(RTLD_NEXT, "dlopen")), std::memory_order_relaxed);
  }
  return next.load(std::memory_order_relaxed);
}

int without_deepbind(const char* file, int mode) noexcept {
  if ((mode & RTLD_DEEPBIND) == 0 || keeps_deepbind()) return mode;
  if (tells_more() && file != nullptr) {
    Message().text("dlopen of ").text(file).text(" without RTLD_DEEPBIND").say();
  }
  return mode & ~RTLD_DEEPBIND;
}

}  // namespace
}  // namespace bufpool

// Ends in a jump: libc looks in the RUNPATH of whoever its return address belongs to.
extern "C" [[gnu::visibility("default")]] void* dlopen(const char* file, int mode) noexcept {
  return bufpool::next_dlopen()(file, bufpool::without_deepbind(file, mode));
}
