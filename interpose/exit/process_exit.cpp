// SPDX-License-Identifier: MIT
// Wraps _exit and _Exit. A program that ends by them runs no destructors, so its report is written
// here.
#include <sys/syscall.h>
#include <unistd.h>

#include "interpose/exit/exit_report.h"
#include "interpose/export.h"
#include "interpose/heap.h"

BUFPOOL_EXPORT [[gnu::noreturn]] void _exit(int status) {
  bufpool::report_exit();
  bufpool::the_pool.control().stats().remove_name();
  for (;;) syscall(SYS_exit_group, status);
}

BUFPOOL_EXPORT [[gnu::noreturn]] void _Exit(int status) noexcept { _exit(status); }
