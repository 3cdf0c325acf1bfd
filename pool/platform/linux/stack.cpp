// SPDX-License-Identifier: MIT
#include "pool/platform/stack.h"

#include <unwind.h>

// The linker sets these to where this library, or the program that this is linked into, begins and
// where its code ends.
// NOLINTBEGIN(*-reserved-identifier,*-identifier-naming)
extern "C" {
[[gnu::visibility("hidden")]] extern const char __ehdr_start[];
[[gnu::visibility("hidden")]] extern const char etext[];
}
// NOLINTEND(*-reserved-identifier,*-identifier-naming)

namespace bufpool::platform {
namespace {

bool is_own_code(std::uintptr_t address) noexcept {
  return address >= reinterpret_cast<std::uintptr_t>(__ehdr_start) &&
         address < reinterpret_cast<std::uintptr_t>(etext);
}

struct StackWalk {
  std::span<std::uint64_t> out;
  std::size_t count;
};

// Notes one frame. Any other answer than the first ends the walk.
_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* argument) {
  StackWalk& walk = *static_cast<StackWalk*>(argument);
  const std::uintptr_t address = _Unwind_GetIP(context);
  if (address == 0) return _URC_END_OF_STACK;
  if (walk.count == 0 && is_own_code(address)) return _URC_NO_REASON;
  walk.out[walk.count++] = address;
  return walk.count < walk.out.size() ? _URC_NO_REASON : _URC_END_OF_STACK;
}

}  // namespace

// libgcc finds the tables of an address by _dl_find_object, which takes no lock.
std::size_t call_stack(std::span<std::uint64_t> out) noexcept {
  StackWalk walk{out, 0};
  if (!out.empty()) _Unwind_Backtrace(note_frame, &walk);
  return walk.count;
}

#if defined(__x86_64__)

// The old stack pointer waits in rbp. The function that is called keeps rbp, and it leads a
// debugger to the caller's frames.
[[gnu::naked]] void call_on_stack(void* /*rdi*/, void (*)(void*) noexcept /*rsi*/,
                                  std::byte* /*rdx*/) noexcept {
  asm(R"(
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rdx, %rsp
    call *%rsi
    movq %rbp, %rsp
    .cfi_def_cfa_register %rsp
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    ret
  )");
}

#else

void call_on_stack(void* argument, void (*work)(void*) noexcept, std::byte*) noexcept {
  work(argument);
}

#endif

}  // namespace bufpool::platform
