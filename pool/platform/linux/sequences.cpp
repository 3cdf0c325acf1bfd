// SPDX-License-Identifier: MIT
#include "pool/platform/sequences.h"

#include <linux/membarrier.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "pool/platform/linux/system_calls.h"

// These are absent before glibc 2.35. Then there are no sequences, and their place in the thread is
// unknown.
#pragma weak __rseq_offset
#pragma weak __rseq_size

namespace bufpool::platform {
namespace {

// Says whether the kernel is ready for restart_sequences().
constinit std::atomic<bool> may_restart{false};

bool restart(unsigned flags, std::uint32_t cpu) noexcept {
  if (!may_restart.load(std::memory_order_relaxed)) return false;
  return try_call(Call::kRestart, [=]() noexcept {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, flags, cpu) == 0;
  });
}

}  // namespace

void* rseq_area() noexcept {
  if (&__rseq_offset == nullptr || &__rseq_size == nullptr || __rseq_size == 0) return nullptr;
  return static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
}

void prepare_restarts() noexcept {
  const KeepErrno keep;
  const long result = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
  may_restart.store(result == 0, std::memory_order_relaxed);
}

bool restart_sequences(std::uint32_t cpu) noexcept { return restart(MEMBARRIER_CMD_FLAG_CPU, cpu); }

bool restart_all_sequences() noexcept { return restart(0, 0); }

}  // namespace bufpool::platform
