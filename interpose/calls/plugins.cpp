// SPDX-License-Identifier: MIT
// Wraps dlopen, for plug-ins that would not find this library. RTLD_DEEPBIND binds a plug-in to
// libc's own malloc and free before any preloaded ones. But libc and the program hand it buffers of
// this library, and the first one that it frees would end the process. PHP loads every extension
// with that flag. Without it a plug-in finds this library as all others do.
#include <dlfcn.h>

#include "interpose/exit/exit_report.h"
#include "interpose/export.h"
#include "interpose/lifecycle/lifecycle.h"
#include "interpose/messages/message.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<void*(const char*, int) noexcept> next_dlopen("dlopen");

int without_deepbind(const char* file, int mode) noexcept {
  if ((mode & RTLD_DEEPBIND) == 0 || keeps_deepbind()) return mode;
  if (is_verbose() && file != nullptr && has_own_stderr()) {
    Message().text("dlopen of ").text(file).text(" without RTLD_DEEPBIND").say();
  }
  return mode & ~RTLD_DEEPBIND;
}

}  // namespace
}  // namespace bufpool

// It ends in a jump, because libc searches the RUNPATH of the file that its return address lies in.
BUFPOOL_EXPORT void* dlopen(const char* file, int mode) noexcept {
  return bufpool::next_dlopen.get()(file, bufpool::without_deepbind(file, mode));
}
