// SPDX-License-Identifier: MIT
// The functions of libbufpool.so for programs that know of it.
//
// The library is preloaded and not linked. So each function is a weak symbol, which is NULL where
// the library is not there: ask before the call.
//
//   if (bufpool_trim) bufpool_trim(0);
//
// A program or library sees them if its code is position independent (-fPIE, the default of most
// compilers, or -fPIC). All functions are NULL in code that is not, and in static programs.
//
// Unless a function says otherwise: any thread may call it at any time, also before constructors,
// in a forked child, and with closed descriptors. It keeps errno, is no cancellation point, and
// nothing is thrown. A function that a signal handler may call says so. Sizes are in bytes.
//
// The library may be there without a pool (BUFPOOL_DISABLE=1, BUFPOOL_ONLY, BUFPOOL_SKIP, or no
// address space): mimalloc serves everything then, bufpool_snapshot() says BUFPOOL_PASS_THROUGH,
// and each function says what it does. It is the same before libc knows the environment, which is
// before the first constructor (in .preinit_array).
//
// The header is C99 and C++11. What it declares stays as it is: members are added at the end of
// structures only, and enumerators get no other values.
#pragma once

#include <stddef.h>
#include <stdint.h>

// How the functions are declared. The library itself defines it otherwise.
#ifndef BUFPOOL_API
#define BUFPOOL_API __attribute__((weak))
#endif

#ifdef __cplusplus
#define BUFPOOL_NOEXCEPT noexcept
// A function and a structure of one name are two things, as with stat().
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
#else
#define BUFPOOL_NOEXCEPT
#endif

// Returns the version of the library, such as "1.0.0". A signal handler may call it.
BUFPOOL_API const char* bufpool_version(void) BUFPOOL_NOEXCEPT;

// The names are C's.
// NOLINTBEGIN(readability-identifier-naming)

// How the caches of the CPUs are guarded.
enum bufpool_mode {
  BUFPOOL_PASS_THROUGH = 0,  // there is no pool: mimalloc serves everything
  BUFPOOL_RSEQ = 1,          // by restartable sequences
  BUFPOOL_LOCKED = 2         // by locks
};

// The version of the two structures below that this header has.
#define BUFPOOL_SNAPSHOT_VERSION 1u

// The figures of the process. docs/report-fields.md explains each by its name. In a forked child
// they count from the fork. Those in the first group are sums over all size classes. Those that
// count only grow; the difference of two snapshots is what happened in between.
struct bufpool_snapshot {
  uint32_t size;     // set by the caller: sizeof(struct bufpool_snapshot); see bufpool_snapshot()
  uint32_t version;  // BUFPOOL_SNAPSHOT_VERSION of the library
  uint32_t mode;     // enum bufpool_mode
  uint32_t pid;

  uint64_t gets;        // buffers handed out
  uint64_t hits;        // buffers handed out by a CPU's cache
  uint64_t misses;      // gets that found the CPU's cache empty
  uint64_t puts;        // buffers given back
  uint64_t overflows;   // puts that found the CPU's cache full
  uint64_t inherited;   // buffers in use when this process was forked
  uint64_t in_use;      // buffers that the program holds now
  uint64_t cached;      // idle buffers in the CPUs' caches
  uint64_t idle;        // bytes of idle buffers that may have pages
  uint64_t retained;    // idle bytes in resident pages
  uint64_t carved;      // bytes of address space cut into buffers
  uint64_t purged;      // idle bytes given back to the system
  uint64_t faulted;     // bytes about to be touched that had no pages yet
  uint64_t regretted;   // bytes of those that had been given back shortly before
  uint64_t asked;       // bytes asked for
  uint64_t granted;     // bytes of the buffers handed out for them
  uint64_t fallbacks;   // requests of a buffer's size that were passed to mimalloc
  uint64_t over_limit;  // fallbacks because of BUFPOOL_MAX_BUFFERS
  uint64_t locked_out;  // fallbacks that could not wait for a lock

  uint64_t passed_below;     // requests below the pooled range
  uint64_t passed_above;     // requests above it
  uint64_t passed_within;    // requests within it while there was no pool
  uint64_t cpu_drains;       // times another CPU's cache was emptied
  uint64_t trims;            // times idle memory was given back
  uint64_t shortages;        // times it was given back as the system refused more
  uint64_t pressure_events;  // times the system reported memory pressure
  uint64_t budget;           // idle bytes worth keeping now
  uint64_t budget_max;       // idle bytes worth keeping at most
  uint64_t trimmer;          // the trimmer thread: 0 none, 1 starting, 2 running, 3 refused
  uint64_t reserved;         // bytes of address space mapped for buffers
  uint64_t resident;         // bytes of the whole process; 0: not known
  uint64_t resident_peak;    // the most of them at once, as the system counts it; 0: not known
  uint64_t cpu_time;         // milliseconds on CPUs, all threads; 0: none yet, or not known

  uint64_t cold_misses;       // misses as more buffers were held than before, or had no pages
  uint64_t returned_misses;   // misses as the memory had been given back shortly before
  uint64_t drained_misses;    // misses as the CPU's cache had been emptied
  uint64_t elsewhere_misses;  // misses as buffers came back on other CPUs
};

// Fills the figures of now. The caller sets out->size to sizeof *out. The library fills as many
// bytes as both know, a multiple of 8, sets size to that number, and leaves the rest alone: a
// member that ends above `size` is not known. While other threads go on, the figures are not those
// of a single moment.
//
// Returns 0, or EINVAL if `out` is NULL or out->size is less than 16. Without a pool, it returns 0;
// the figures of the pool are 0 then, and those of the process (passed_*, resident, cpu_time) are
// not. It takes locks for moments, reads files of /proc and asks the kernel which idle pages are
// resident. It takes 10 us to some milliseconds, and 8 KiB of stack. A signal handler may call it.
BUFPOOL_API int bufpool_snapshot(struct bufpool_snapshot* out) BUFPOOL_NOEXCEPT;

// The figures of one size class. The names mean what they mean above.
struct bufpool_class_snapshot {
  uint32_t size;     // set by the caller: sizeof(struct bufpool_class_snapshot)
  uint32_t version;  // BUFPOOL_SNAPSHOT_VERSION of the library

  uint64_t buffer_bytes;  // what a program may write into a buffer; 0: the class is not in use
  uint64_t gets;
  uint64_t hits;
  uint64_t misses;
  uint64_t puts;
  uint64_t overflows;
  uint64_t inherited;
  uint64_t in_use;
  uint64_t in_use_peak;  // most buffers held at once, as seen whenever a cache ran empty
  uint64_t cached;
  uint64_t idle;
  uint64_t retained;
  uint64_t carved;
  uint64_t purged;
  uint64_t faulted;
  uint64_t regretted;
  uint64_t asked;
  uint64_t granted;
  uint64_t fallbacks;
  uint64_t over_limit;
  uint64_t locked_out;
  uint64_t cold_misses;
  uint64_t returned_misses;
  uint64_t drained_misses;
  uint64_t elsewhere_misses;
};

// Fills the figures of the size class `index`. Classes are numbered from 0, ascending by size. It
// does all else that bufpool_snapshot() does.
//
// Returns 0, EINVAL as bufpool_snapshot() does, ENOENT if there are no more classes, or ENOTSUP if
// there is no pool. A signal handler may call it.
BUFPOOL_API int bufpool_class_snapshot(uint32_t index,
                                       struct bufpool_class_snapshot* out) BUFPOOL_NOEXCEPT;

// The forms of the report, as BUFPOOL_REPORT_FORMAT and BUFPOOL_REPORT_DETAIL know them.
enum bufpool_format {
  BUFPOOL_TEXT = 0,       // 12 lines at most
  BUFPOOL_TEXT_FULL = 1,  // every class
  BUFPOOL_JSON = 2,
  BUFPOOL_PROMETHEUS = 3
};

// Writes a report of now to the descriptor. The descriptor stays the caller's: it is neither closed
// nor kept, and it stays as blocking as it is. The report at exit is not affected. A write raises
// no SIGPIPE and no SIGXFSZ.
//
// Returns 0, or why not all of it was written: the error of the write, such as EBADF or EPIPE;
// EINVAL for an unknown form; ETIMEDOUT if the reader of a pipe, a terminal or a socket gave no
// room for a second; EBUSY if the report of another thread took two. Without a pool, it writes a
// report with figures of 0. A signal handler may call it; EBUSY if it interrupted a report.
BUFPOOL_API int bufpool_report(int descriptor, enum bufpool_format format) BUFPOOL_NOEXCEPT;

// Gives idle memory back to the system until `keep` bytes are idle. What bufpool_warm_up() and
// BUFPOOL_WARMUP made ready goes, too, and is no longer kept above `keep` bytes. What mimalloc
// keeps unused for this thread goes back as well, and is not counted.
//
// Returns the bytes given back: 0 if no more were idle, or without a pool.
BUFPOOL_API size_t bufpool_trim(size_t keep) BUFPOOL_NOEXCEPT;

// Makes `count` more buffers of `size` bytes ready: their pages are resident before the first get.
// They are idle memory from then on, and the budget for that grows by them. They go back as all
// idle memory does: if nobody used them for BUFPOOL_RETAIN_TIME (10 s by default), if the system is
// short of memory, and by bufpool_trim(). All that is made ready is BUFPOOL_RETAIN_MAX together at
// most if that is set, else half of the memory that the process may use. bufpool_trim() starts that
// sum anew.
//
// Returns how many are ready: `count` or a few more, as small buffers come in groups, or fewer
// where the limit is reached or the system refuses. 0 if `size` is not in the pooled range, beside
// a fork, or without a pool. It may read files and take long. A signal handler may call it.
BUFPOOL_API size_t bufpool_warm_up(size_t size, size_t count) BUFPOOL_NOEXCEPT;

// Makes what is in use now the peak of each class. The peak of the process's resident memory is the
// system's, and stays. Does nothing without a pool. A signal handler may call it.
BUFPOOL_API void bufpool_reset_peaks(void) BUFPOOL_NOEXCEPT;

// Returns a buffer of `size` bytes that bufpool_put() will wipe, for keys and passwords, or NULL
// with errno ENOMEM. It is aligned as malloc's are, and not zero. Sizes outside the pooled range
// come from mimalloc, and all do without a pool. If another library's malloc stands in front of
// this one's, the buffer is ours all the same. A signal handler may call it for a size in the
// pooled range while there is a pool.
BUFPOOL_API void* bufpool_get(size_t size) BUFPOOL_NOEXCEPT;

// Writes zeros over the first `size` bytes of a buffer, which no compiler drops, and gives it back.
// If `size` is more than the buffer has, all of it is wiped. NULL is none. Copies elsewhere, such
// as in a forked child, in swap or in a core file, are not wiped. Pre: `buffer` is bufpool_get()'s.
// Neither realloc nor free is to be given such a buffer: the one leaves a copy behind, and the
// other does not wipe. What bufpool_get() says of signal handlers holds here.
BUFPOOL_API void bufpool_put(void* buffer, size_t size) BUFPOOL_NOEXCEPT;

// NOLINTEND(readability-identifier-naming)

#ifdef __cplusplus
}
#pragma GCC diagnostic pop
#endif
