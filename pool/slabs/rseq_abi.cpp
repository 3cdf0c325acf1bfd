// SPDX-License-Identifier: MIT
#include "pool/slabs/rseq_abi.h"

#include <atomic>

#include "pool/slabs/slab.h"

namespace bufpool {
namespace {

// This is the area of all threads that are not attached yet. It names the CPU that never has a
// slab.
constinit RseqArea no_area{kMaxCpus, kMaxCpus, 0};
// This is the area of threads in vfork, which are not to be attached.
constinit RseqArea vfork_area{kMaxCpus, kMaxCpus, 0};

}  // namespace

alignas(4096) constinit char empty_slab[kSlabLayout.bytes] = {};
constinit thread_local RseqArea area_without_cpu
    [[gnu::tls_model("initial-exec")]]{kMaxCpus, kMaxCpus, 0};
constinit thread_local RseqArea* thread_area [[gnu::tls_model("initial-exec")]] = &no_area;

RseqArea* leave_sequences() noexcept {
  RseqArea* const area = thread_area;
  thread_area = &vfork_area;
  // A signal handler may look next, and the child.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return area;
}

void return_to_sequences(RseqArea* area) noexcept { thread_area = area; }

bool has_left_sequences() noexcept { return thread_area == &vfork_area; }

void detach_thread() noexcept { thread_area = &no_area; }

}  // namespace bufpool
