// SPDX-License-Identifier: MIT
// Traces itself with the processor's trap flag through a malloc and a free, and prints for every
// instruction: the operation, the file it lies in, its address in that file.
//   LD_PRELOAD=libbufpool.so fast_path_probe BYTES
//
// A restartable sequence cannot be stepped through: each trap sends it back to its start. So the
// kernel is told to forget the thread's registration for the while. What the sequence reads stays:
// the thread is bound to one CPU, whose number is put back in its place.
#include <dlfcn.h>
#include <linux/rseq.h>
#include <sched.h>
#include <signal.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

constexpr int kSkipped = 77;
constexpr unsigned kRegisteredBytes = 32;
constexpr greg_t kTrapFlag = 0x100;

struct Trace {
  const char* operation;
  std::array<greg_t, 2000> at;
  std::size_t count;
};

constinit std::array<Trace, 4> traces{};
constinit Trace* current = nullptr;

// The breakpoint at either end turns stepping on and off; in between comes one trap per
// instruction, before it is executed.
void on_trap(int, siginfo_t* info, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  if (info->si_code != TRAP_TRACE) {
    registers[REG_EFL] ^= kTrapFlag;
  } else if (current->count < current->at.size()) {
    current->at[current->count++] = registers[REG_RIP];
  }
}

template <typename Operation>
[[gnu::noinline]] void step_through(Trace& trace, const char* name, Operation operation) {
  trace.operation = name;
  current = &trace;
  asm volatile("int3" ::: "memory");
  operation();
  asm volatile("int3" ::: "memory");
}

void trace_all(std::size_t size) {
  void* volatile block = nullptr;
  step_through(traces[0], "malloc", [&] { block = malloc(size); });
  step_through(traces[1], "free", [&] { free(block); });
  step_through(traces[2], "new", [&] { block = operator new(size); });
  step_through(traces[3], "delete", [&] { operator delete(block, size); });
}

// Few rounds: now and then a thread tells others how many requests were passed on.
void warm(std::size_t size) {
  void* volatile block = nullptr;
  for (int round = 0; round < 10; ++round) {
    block = malloc(size);
    free(block);
    block = operator new(size);
    operator delete(block, size);
  }
}

bool bind_to_this_cpu() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

struct rseq* area() {
  return reinterpret_cast<struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) +
                                        __rseq_offset);
}

bool register_again(int flags) {
  return syscall(SYS_rseq, area(), kRegisteredBytes, flags, RSEQ_SIG) == 0;
}

bool forget_registration() {
  const std::uint32_t cpu = area()->cpu_id;
  if (__rseq_size == 0 || !register_again(RSEQ_FLAG_UNREGISTER)) return false;
  area()->cpu_id = cpu;
  return true;
}

void print(const Trace& trace) {
  for (std::size_t i = 0; i < trace.count; ++i) {
    Dl_info where{};
    auto* const at = reinterpret_cast<void*>(trace.at[i]);
    if (dladdr(at, &where) == 0) continue;
    const auto distance = static_cast<char*>(at) - static_cast<char*>(where.dli_fbase);
    std::printf("%s %s %tx\n", trace.operation, where.dli_fname, distance);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::size_t size = std::strtoull(arguments[1], nullptr, 10);
  struct sigaction action = {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGTRAP, &action, nullptr) != 0 || !bind_to_this_cpu()) return kSkipped;
  warm(size);
  if (!forget_registration()) return kSkipped;
  trace_all(size);
  if (!register_again(0)) return kSkipped;
  for (const Trace& trace : traces) print(trace);
  return traces[0].count == 0 ? kSkipped : 0;
}
