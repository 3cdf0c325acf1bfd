// SPDX-License-Identifier: MIT
// Wraps vfork. Its child runs on its parent's memory and stack, as its parent's thread, until it
// calls exec. The kernel aborts no sequence for the child. POSIX forbids the child to make
// requests, but programs do. No sequence may serve such a request, because other threads of the
// parent go on with theirs. So the child finds an area in place of the thread's in which every
// sequence misses. On other processors libc's vfork stays.
#if defined(__x86_64__)

#include <sys/syscall.h>
#include <sys/types.h>

#include <cerrno>

#include "interpose/export.h"
#include "pool/slabs/rseq_abi.h"
#include "pool/sync/owner_lock.h"
#include "pool/sync/vforks.h"

extern "C" {

[[gnu::used]] bufpool::RseqArea* bufpool_before_vfork() noexcept {
  bufpool::Vforks::enter();
  return bufpool::leave_sequences();
}

// Marks the child if its number is its parent's, as in another PID namespace. No other child is
// marked: a parent whose signal handler leaves vfork by a jump would keep the mark.
[[gnu::used]] void bufpool_begin_vfork_child() noexcept {
  if (bufpool::OwnerLock::process_is_entered()) bufpool::Vforks::begin_child();
}

// Ends the call in the parent. `result` is what the kernel returned: the child's number, or an
// error below 0.
[[gnu::used]] pid_t bufpool_after_vfork(long result, bufpool::RseqArea* area) noexcept {
  bufpool::return_to_sequences(area);
  bufpool::Vforks::leave();
  if (result >= 0) return static_cast<pid_t>(result);
  errno = static_cast<int>(-result);
  return -1;
}

// The child's calls overwrite the stack. So the return address waits in a register: the kernel
// keeps all but rax, rcx and r11. The child leaves by a jump. It shares a shadow stack with its
// parent, and a return would take the parent's entry.
static_assert(SYS_vfork == 58);
BUFPOOL_EXPORT [[gnu::naked]] pid_t vfork() noexcept {
  asm(R"(
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call bufpool_before_vfork
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    movq %rax, %rsi
    popq %rdi
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rdi
    movl $58, %eax
    syscall
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rip, 0
    testq %rax, %rax
    jz 1f
    movq %rax, %rdi
    jmp bufpool_after_vfork
1:  subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call bufpool_begin_vfork_child
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    xorl %eax, %eax
    popq %rdi
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rdi
    jmp *%rdi
  )");
}

// NOLINTNEXTLINE(bugprone-reserved-identifier)
BUFPOOL_EXPORT [[gnu::alias("vfork")]] pid_t __vfork() noexcept;
}

#endif
