// SPDX-License-Identifier: MIT
// Makes a system call without libc, for libraries that stand in front of libc's syscall().
#pragma once

#include <array>

// Returns the kernel's result.
inline long call(long number, const std::array<long, 6>& arguments) {
  register long fourth asm("r10") = arguments[3];
  register long fifth asm("r8") = arguments[4];
  register long sixth asm("r9") = arguments[5];
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(fourth), "r"(fifth),
                 "r"(sixth)
               : "rcx", "r11", "memory");
  return result;
}
