// SPDX-License-Identifier: MIT
// Wraps the calls that change what pages are, for programs that free a buffer afterwards. libc
// unmaps a large buffer at its free. The pool hands it out again, and its next owner would meet the
// change.
//
// The pool is told before the call is made. It marks the buffer in front of the pages, and the mark
// may be out of reach afterwards. A call that fails may have changed some of the pages. Advice that
// only makes pages faster or slower is not told to the pool, because programs give it for each of
// their large arrays.
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "interpose/export.h"
#include "interpose/heap.h"
#include "interpose/next_symbol.h"
#include "pool/backing/backing.h"
#include "pool/platform/memory.h"

namespace bufpool {
namespace {

template <typename Argument>
long as_long(Argument argument) noexcept {
  if constexpr (std::is_pointer_v<Argument>) {
    return reinterpret_cast<long>(argument);
  } else {
    return static_cast<long>(argument);
  }
}

// Calls the function that one of this library's stands in front of. It makes the system call as
// long as that function is not known: the allocator underneath maps its first memory early, and
// looking the function up may ask for memory.
template <typename Function>
class PageCall {
 public:
  constexpr PageCall(const char* name, long number) noexcept : next_(name), number_(number) {}

  void find() noexcept { (void)next_.get(); }

  template <typename... Arguments>
  auto operator()(Arguments... arguments) const noexcept {
    using Result = std::invoke_result_t<Function, Arguments...>;
    if (Function* const next = next_.known()) return next(arguments...);
    const long result = syscall(number_, as_long(arguments)...);
    if constexpr (std::is_pointer_v<Result>) {
      return reinterpret_cast<Result>(result);
    } else {
      return static_cast<Result>(result);
    }
  }

 private:
  NextSymbol<Function> next_;
  long number_;
};

using MapFunction = void*(void*, std::size_t, int, int, int, off_t) noexcept;

constinit PageCall<int(void*, std::size_t, int) noexcept> next_madvise("madvise", SYS_madvise);
constinit PageCall<int(const void*, std::size_t) noexcept> next_mlock("mlock", SYS_mlock);
constinit PageCall<int(const void*, std::size_t, unsigned) noexcept> next_mlock2("mlock2",
                                                                                 SYS_mlock2);
constinit PageCall<MapFunction> next_mmap("mmap", SYS_mmap);
constinit PageCall<MapFunction> next_mmap64("mmap64", SYS_mmap);
constinit PageCall<int(void*, std::size_t, int) noexcept> next_mprotect("mprotect", SYS_mprotect);
constinit PageCall<int(void*, std::size_t) noexcept> next_munmap("munmap", SYS_munmap);
constinit PageCall<int(void*, std::size_t, int, int) noexcept> next_pkey_mprotect(
    "pkey_mprotect", SYS_pkey_mprotect);

// No request for memory comes here before the function is known.
constinit NextSymbol<int(int, unsigned long, ...) noexcept> next_ioctl("ioctl");

constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, Linux 6.13

// Tells whether advice stays with the pages, and is about their contents or about who has them.
constexpr bool is_lasting(int advice) noexcept {
  return advice == MADV_DONTFORK || advice == MADV_WIPEONFORK || advice == MADV_DONTDUMP ||
         advice == MADV_MERGEABLE || advice == kGuardInstall;
}

constexpr bool is_plain(int rights) noexcept { return rights == (PROT_READ | PROT_WRITE); }

// It is inlined, so that it sees where the program called from.
[[gnu::always_inline]] inline void note(bool altered, const void* start, std::size_t bytes,
                                        Alteration how) noexcept {
  if (!altered) return;
  if (!the_pool.owns(start)) {
    return backing::note_altered(start, bytes, __builtin_return_address(0));
  }
  the_pool.control().note_altered(reinterpret_cast<std::uintptr_t>(start), bytes, how);
}

// Notes pages that the program registered by userfaultfd(2). The program answers for their faults
// from now on. The pool is told after the call, because the argument is known to be readable only
// then. The kernel may run out of memory with a part of the pages registered.
[[gnu::always_inline]] inline void note_watched(int result, const void* argument) noexcept {
  if (result != 0 && errno != ENOMEM) return;
  const uffdio_range& range = static_cast<const uffdio_register*>(argument)->range;
  note(true, reinterpret_cast<const void*>(range.start), range.len, Alteration::kInPlace);
}

// Ends a call of mprotect that was refused. mimalloc makes its memory writable by that call. Where
// it is refused to it, mimalloc 2.0.9 maps the next 32 MiB and tries there, and so on for ever. So
// it gets the pages in another way. Pre: errno is that of the call.
int after_refusal(void* start, std::size_t bytes, const void* caller) noexcept {
  const int error = errno;
  if (backing::is_call_of(caller) && platform::make_writable(start, bytes)) return 0;
  errno = error;
  return -1;
}

}  // namespace

void find_next_page_calls() noexcept {
  std::ignore = next_ioctl.get();
  next_madvise.find();
  next_mlock.find();
  next_mlock2.find();
  next_mmap.find();
  next_mmap64.find();
  next_mprotect.find();
  next_munmap.find();
  next_pkey_mprotect.find();
}

}  // namespace bufpool

using bufpool::Alteration;

// The kernel looks at 32 bits of the request. Some programs extend its sign into the other 32.
BUFPOOL_EXPORT int ioctl(int file, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  const int result = bufpool::next_ioctl.get()(file, request, argument);
  if (static_cast<std::uint32_t>(request) == UFFDIO_REGISTER) [[unlikely]]
    bufpool::note_watched(result, argument);
  return result;
}

BUFPOOL_EXPORT int madvise(void* start, std::size_t bytes, int advice) noexcept {
  bufpool::note(bufpool::is_lasting(advice), start, bytes, Alteration::kInPlace);
  return bufpool::next_madvise(start, bytes, advice);
}

BUFPOOL_EXPORT int mlock(const void* start, std::size_t bytes) noexcept {
  bufpool::note(true, start, bytes, Alteration::kInPlace);
  return bufpool::next_mlock(start, bytes);
}

BUFPOOL_EXPORT int mlock2(const void* start, std::size_t bytes, unsigned flags) noexcept {
  bufpool::note(true, start, bytes, Alteration::kInPlace);
  return bufpool::next_mlock2(start, bytes, flags);
}

BUFPOOL_EXPORT void* mmap(void* start, std::size_t bytes, int rights, int flags, int file,
                          off_t offset) noexcept {
  bufpool::note((flags & MAP_FIXED) != 0, start, bytes, Alteration::kReplaced);
  return bufpool::next_mmap(start, bytes, rights, flags, file, offset);
}

BUFPOOL_EXPORT void* mmap64(void* start, std::size_t bytes, int rights, int flags, int file,
                            off64_t offset) noexcept {
  bufpool::note((flags & MAP_FIXED) != 0, start, bytes, Alteration::kReplaced);
  return bufpool::next_mmap64(start, bytes, rights, flags, file, offset);
}

BUFPOOL_EXPORT int mprotect(void* start, std::size_t bytes, int rights) noexcept {
  bufpool::note(!bufpool::is_plain(rights), start, bytes, Alteration::kInPlace);
  const int result = bufpool::next_mprotect(start, bytes, rights);
  if (result == 0 || !bufpool::is_plain(rights)) return result;
  return bufpool::after_refusal(start, bytes, __builtin_return_address(0));
}

BUFPOOL_EXPORT int munmap(void* start, std::size_t bytes) noexcept {
  bufpool::note(true, start, bytes, Alteration::kReplaced);
  return bufpool::next_munmap(start, bytes);
}

BUFPOOL_EXPORT int pkey_mprotect(void* start, std::size_t bytes, int rights, int key) noexcept {
  bufpool::note(key > 0 || !bufpool::is_plain(rights), start, bytes, Alteration::kInPlace);
  return bufpool::next_pkey_mprotect(start, bytes, rights, key);
}

extern "C" {

// The linker sends the calls that this library makes itself here (CMakeLists.txt). The pool knows
// of them.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
int __wrap_madvise(void* start, std::size_t bytes, int advice) noexcept {
  return bufpool::next_madvise(start, bytes, advice);
}

void* __wrap_mmap(void* start, std::size_t bytes, int rights, int flags, int file,
                  off_t offset) noexcept {
  return bufpool::next_mmap(start, bytes, rights, flags, file, offset);
}

int __wrap_munmap(void* start, std::size_t bytes) noexcept {
  return bufpool::next_munmap(start, bytes);
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
