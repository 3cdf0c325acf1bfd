// SPDX-License-Identifier: MIT
#include "interpose/cpp_rules.h"

#include <dlfcn.h>

#include <cstdlib>

#include "interpose/messages/message.h"

namespace bufpool::cpp_rules {
namespace {

// dlsym allocates in odd cases. So it is asked only here, where memory has run out already.
template <typename Function>
Function in_runtime(const char* mangled) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, mangled));
}

}  // namespace

std::new_handler installed_handler() noexcept {
  const auto get = in_runtime<std::new_handler (*)()>("_ZSt15get_new_handlerv");
  return get == nullptr ? nullptr : get();
}

void throw_bad_alloc() {
  const auto raise = in_runtime<void (*)()>("_ZSt17__throw_bad_allocv");
  if (raise != nullptr) raise();
  say("operator new: out of memory, and no C++ runtime to throw std::bad_alloc by");
  std::abort();
}

// A handler that gives up throws std::bad_alloc, which the program's runtime has to catch. The
// nothrow new of that runtime has the catch clause. In it the runtime calls this library's operator
// new, which calls the handler.
void* try_with_handler(std::size_t size) noexcept {
  if (installed_handler() == nullptr) return nullptr;
  const auto next = reinterpret_cast<void* (*)(std::size_t, const std::nothrow_t&)>(
      dlsym(RTLD_NEXT, "_ZnwmRKSt9nothrow_t"));
  return next == nullptr ? nullptr : next(size, std::nothrow);
}

void* try_with_handler(std::size_t size, std::align_val_t alignment) noexcept {
  if (installed_handler() == nullptr) return nullptr;
  const auto next =
      reinterpret_cast<void* (*)(std::size_t, std::align_val_t, const std::nothrow_t&)>(
          dlsym(RTLD_NEXT, "_ZnwmSt11align_val_tRKSt9nothrow_t"));
  return next == nullptr ? nullptr : next(size, alignment, std::nothrow);
}

}  // namespace bufpool::cpp_rules
