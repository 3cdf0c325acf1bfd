// SPDX-License-Identifier: MIT
// Promise: a handler that ends the process by _exit, on a small signal stack, ends it with a
//   report. The stack has 8 KiB, the usual size for long, and the kernel takes up to two and a half
//   of them for its frame.
// Run: stderr
// Env: BUFPOOL_REPORT=stderr
// Stderr: mode (rseq|locked)
// Exit: 7
// Run: json
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=json
// Stderr: buffer_bytes
// Exit: 7
// Run: file
// Env: BUFPOOL_REPORT={tmp}/report.txt
// File: report\.txt mode (rseq|locked)
// Exit: 7
#include <sys/mman.h>

#include <csignal>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLargeStack = 16 * kPage;
constexpr std::size_t kForHandler = 8192 - 2560;

char* stack_start;
std::size_t frame_bytes;  // what the kernel puts on the stack: it depends on the processor

void end(int) { _exit(7); }

void measure(int) {
  auto* const here = static_cast<char*>(__builtin_frame_address(0));
  frame_bytes = static_cast<std::size_t>(stack_start + kLargeStack - here);
}

void handle_on_stack(std::size_t bytes, void (*handler)(int)) {
  stack_t stack{};
  stack.ss_sp = stack_start;
  stack.ss_size = bytes;
  promise::keep(sigaltstack(&stack, nullptr) == 0, "there is a stack");
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
}

}  // namespace

int main() {
  promise::use(70000, 150);
  promise::use(1000, 150);
  // The stack's lowest byte follows a page that nothing may touch.
  void* const pages = mmap(nullptr, kPage + kLargeStack, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  promise::keep(pages != MAP_FAILED && mprotect(pages, kPage, PROT_NONE) == 0, "there are pages");
  stack_start = static_cast<char*>(pages) + kPage;
  handle_on_stack(kLargeStack, measure);
  handle_on_stack(frame_bytes + kForHandler, end);
}
