// SPDX-License-Identifier: MIT
#include "pool/platform/stack.h"

namespace bufpool::platform {

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
