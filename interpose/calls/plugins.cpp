// SPDX-License-Identifier: MIT
// dlopen, for plug-ins that would not find us. RTLD_DEEPBIND binds a plug-in to libc's own malloc
// and free before any preloaded ones, while what it is handed by libc and by the program is ours:
// the first of our buffers that it frees would be the end of the process (PHP loads every extension
// so). Without the flag it finds us as all others do.
#include <dlfcn.h>

#include "interpose/calls/next_symbol.h"
#include "interpose/export.h"
#include "interpose/lifecycle.h"
#include "interpose/messages/message.h"

namespace bufpool {
namespace {

constinit NextSymbol<void*(const char*, int) noexcept> next_dlopen("dlopen");

int without_deepbind(const char* file, int mode) noexcept {
  if ((mode & RTLD_DEEPBIND) == 0 || keeps_deepbind()) return mode;
  if (is_verbose() && file != nullptr) {
    Message().text("dlopen of ").text(file).text(" without RTLD_DEEPBIND").say();
  }
  return mode & ~RTLD_DEEPBIND;
}

}  // namespace
}  // namespace bufpool

// Ends in a jump: libc looks in the RUNPATH of whoever its return address belongs to.
BUFPOOL_EXPORT void* dlopen(const char* file, int mode) noexcept {
  return bufpool::next_dlopen.get()(file, bufpool::without_deepbind(file, mode));
}
