// SPDX-License-Identifier: MIT
#include "pool/platform/threads.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>

#include "pool/options/bounded_text.h"
#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/platform/sequences.h"
#include "pool/platform/stack.h"
#include "pool/platform/waiting.h"

// It is absent before glibc 2.35.
#pragma weak _dl_find_object

namespace bufpool::platform {
namespace {

// The stack of the library's thread has so many bytes, for passes over the classes. Pages of it
// that are not touched cost nothing.
constexpr std::size_t kThreadStack = 256 << 10;

// libc puts so many bytes on a thread's stack before the thread has any of it. Most are the initial
// TLS of all that is loaded. They grow no more once the program runs. 0 says that they are not
// known.
constinit std::atomic<std::size_t> libc_stack{0};

// pthread_create needs some 5 KiB, and the caller may be a coroutine that has a page. It gets this
// stack, six times of that. Untouched pages of it cost nothing.
alignas(16) constinit std::byte create_stack[32 << 10] = {};

struct NewThread {
  void* (*body)(void*);
  void* argument;
  std::size_t stack;
  int error;
};

// Creates a NewThread. Pre: all signals are blocked, so that no handler of the program runs on
// this stack.
void create(void* new_thread) noexcept {
  auto& wanted = *static_cast<NewThread*>(new_thread);
  pthread_attr_t attributes;
  wanted.error = pthread_attr_init(&attributes);
  if (wanted.error != 0) return;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, wanted.stack);
  pthread_t thread;
  wanted.error = pthread_create(&thread, &attributes, wanted.body, wanted.argument);
  pthread_attr_destroy(&attributes);
}

// Returns whether a new thread of libc's lives. libc ends the process if the kernel refuses to
// register the thread for restartable sequences and granted it to others before. A filter of system
// calls may do that. So the call is made with arguments that the kernel never grants: a filter
// answers it otherwise. A filter that kills would kill the new thread, too.
bool may_register_thread() noexcept {
  if (rseq_area() == nullptr) return true;
  return syscall(SYS_rseq, nullptr, 0, 0, 0) == 0 || errno == EINVAL;
}

// Finds the loaded file that an address is in. _dl_find_object (glibc 2.35) takes no lock.
bool find_file(const void* address, dl_find_object& file) noexcept {
  return &_dl_find_object != nullptr && _dl_find_object(const_cast<void*>(address), &file) == 0;
}

// The main thread, or 0 where it is not known.
constinit std::atomic<pthread_t> main_one{};

// Holds the name of the file in which the kernel tells of the main thread.
class MainThreadFile {
 public:
  MainThreadFile() noexcept {
    BoundedText name({path_, sizeof path_ - 1});
    name.add("/proc/self/task/");
    name.add(std::uint64_t{process_id()});
    name.add("/stat");
  }
  [[nodiscard]] const char* c_str() const noexcept { return path_; }

 private:
  char path_[48] = {};
};

std::string_view read_once(int file, std::span<char> to) noexcept {
  const long bytes = syscall(SYS_read, file, to.data(), to.size());
  return {to.data(), static_cast<std::size_t>(std::max(bytes, 0L))};
}

bool is_within(const dl_find_object& file, const void* address) noexcept {
  return address >= file.dlfo_map_start && address < file.dlfo_map_end;
}

}  // namespace

bool may_start_thread_from(const void* caller) noexcept {
  dl_find_object here{};
  if (!find_file(caller, here)) return false;
  const auto holds = [&here](auto* function) {
    return is_within(here, reinterpret_cast<const void*>(function));
  };
  return !holds(&pthread_create) && !holds(&_dl_find_object) && !holds(&learn_thread_needs);
}

bool are_in_one_file(const void* code, const void* other) noexcept {
  dl_find_object here{};
  return find_file(code, here) && is_within(here, other);
}

// libc tells the bytes by a name that is for its own libraries. The public
// sysconf(_SC_THREAD_STACK_MIN) leaves the TLS out.
void learn_thread_needs() noexcept {
  using LeastStack = std::size_t (*)(const pthread_attr_t*);
  const KeepErrno keep;
  const auto least_stack =
      reinterpret_cast<LeastStack>(dlsym(RTLD_DEFAULT, "__pthread_get_minstack"));
  pthread_attr_t attributes;
  if (least_stack == nullptr || pthread_attr_init(&attributes) != 0) return;
  libc_stack.store(page_above(least_stack(&attributes)), std::memory_order_relaxed);
  pthread_attr_destroy(&attributes);
}

bool start_thread(void* (*body)(void*), void* argument) noexcept {
  const KeepErrno keep;
  const std::size_t needed = libc_stack.load(std::memory_order_relaxed);
  if (needed == 0 || is_refused(Call::kThread)) return false;
  if (!may_register_thread()) {
    note_error(Call::kThread, errno);
    return false;
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  NewThread thread{body, argument, kThreadStack + needed, 0};
  pthread_sigmask(SIG_BLOCK, &all, &before);
  call_on_stack(&thread, create, std::end(create_stack));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  note_error(Call::kThread, thread.error);
  return thread.error == 0;
}

bool leave_descriptors() noexcept {
  const KeepErrno keep;
  return syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) == 0;
}

std::uint32_t thread_id() noexcept { return static_cast<std::uint32_t>(syscall(SYS_gettid)); }

bool thread_exists(std::uint32_t thread) noexcept {
  const KeepErrno keep;
  return syscall(SYS_tgkill, getpid(), thread, 0) == 0;
}

void note_main_thread() noexcept {
  const pthread_t self = pthread_self();
  // A forked child writes only what differs, as a page that is written is one to copy.
  if (main_one.load(std::memory_order_relaxed) != self) main_one.store(self);
}

void MainThreadWatch::open() noexcept {
  const KeepErrno keep;
  if (file_ < 0) file_ = open_file(MainThreadFile().c_str(), O_RDONLY);
}

// The kernel clears the number of a thread that ends in libc's record of it, and libc then has no
// clock for the thread. The file is read once, as no call but read() can be relied on under a
// filter: a second one would begin at its end. The name there may hold any character, but ends with
// the last bracket. Behind it stand the state, 16 other fields, the number of threads (an ended
// main thread counts), 31 others, and the status as wait(2) tells it, see proc(5).
MainThread MainThreadWatch::look() noexcept {
  const KeepErrno keep;
  const pthread_t noted = main_one.load(std::memory_order_relaxed);
  clockid_t clock{};
  if (noted != 0 && pthread_getcpuclockid(noted, &clock) == 0) return {};
  char text[1024];
  std::string_view rest = noted != 0 && file_ >= 0 ? read_once(file_, text)
                                                   : beginning_of(MainThreadFile().c_str(), text);
  rest = rest.substr(std::min(rest.size(), rest.rfind(')') + 1));
  if (noted == 0 && !rest.starts_with(" Z ")) return {};
  int fields[50] = {};
  for (int& field : fields) {
    rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
    std::from_chars(rest.data(), rest.data() + rest.size(), field);
  }
  return {true, fields[17] == 2, fields[49] >> 8 & 0xff};
}

void end_thread(int status) noexcept {
  for (;;) syscall(SYS_exit, status);
}

void name_thread(const char* name) noexcept {
  const KeepErrno keep;
  syscall(SYS_prctl, PR_SET_NAME, name, 0, 0, 0);
}

void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void wait_on(const std::uint32_t* word, std::uint32_t expected) noexcept {
  const KeepErrno keep;
  const timespec second{1, 0};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &second, nullptr, 0);
}

void wake_one(const std::uint32_t* word) noexcept {
  const KeepErrno keep;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void sleep_for(std::uint32_t milliseconds) noexcept {
  const KeepErrno keep;
  const timespec time{milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1000000};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace bufpool::platform
