// SPDX-License-Identifier: MIT
#include "interpose/cpp_rules.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>

#include "interpose/messages/message.h"

namespace bufpool::cpp_rules {
namespace {

// dlsym allocates in odd cases. So it is asked only here, where memory has run out already.
template <typename Function>
Function in_runtime(const char* mangled) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, mangled));
}

// Finds a function of the program's runtime that this library's function of that name stands
// before. It remembers the function.
template <typename Function>
class NextForm {
 public:
  constexpr explicit NextForm(const char* mangled) noexcept : mangled_(mangled) {}

  Function get() noexcept {
    Function found = found_.load(std::memory_order_relaxed);
    if (found != nullptr) return found;
    found = reinterpret_cast<Function>(dlsym(RTLD_NEXT, mangled_));
    found_.store(found, std::memory_order_relaxed);
    return found;
  }

 private:
  const char* mangled_;
  std::atomic<Function> found_{nullptr};
};

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

void* try_by_runtime(Shape shape, std::size_t size) noexcept {
  using Form = NextForm<void* (*)(std::size_t, const std::nothrow_t&)>;
  static constinit Form forms[] = {Form("_ZnwmRKSt9nothrow_t"), Form("_ZnamRKSt9nothrow_t")};
  const auto form = forms[static_cast<int>(shape)].get();
  return form == nullptr ? nullptr : form(size, std::nothrow);
}

void* try_by_runtime(Shape shape, std::size_t size, std::align_val_t alignment) noexcept {
  using Form = NextForm<void* (*)(std::size_t, std::align_val_t, const std::nothrow_t&)>;
  static constinit Form forms[] = {Form("_ZnwmSt11align_val_tRKSt9nothrow_t"),
                                   Form("_ZnamSt11align_val_tRKSt9nothrow_t")};
  const auto form = forms[static_cast<int>(shape)].get();
  return form == nullptr ? nullptr : form(size, alignment, std::nothrow);
}

// A handler that gives up throws std::bad_alloc, which the program's runtime has to catch. The
// nothrow new of that runtime has the catch clause. In it the runtime calls this library's operator
// new, which calls the handler.
void* try_with_handler(std::size_t size) noexcept {
  return installed_handler() == nullptr ? nullptr : try_by_runtime(Shape::kSingle, size);
}

void* try_with_handler(std::size_t size, std::align_val_t alignment) noexcept {
  return installed_handler() == nullptr ? nullptr : try_by_runtime(Shape::kSingle, size, alignment);
}

}  // namespace bufpool::cpp_rules
