// SPDX-License-Identifier: MIT
// Answers glibc's functions about the heap for the pool and for mimalloc together.
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "interpose/exit/stream_report.h"
#include "interpose/export.h"
#include "interpose/heap.h"
#include "pool/backing/backing.h"

using bufpool::PoolTotals;
using bufpool::the_pool;

namespace {

int saturated(std::size_t value) noexcept {
  return static_cast<int>(std::min<std::size_t>(value, INT_MAX));
}

}  // namespace

// Returns 1 if any memory went back to the system.
BUFPOOL_EXPORT int malloc_trim(std::size_t pad) noexcept {
  const std::size_t before = bufpool::backing::committed_bytes();
  const bool pool_gave = the_pool.control().trim(pad) > 0;
  bufpool::backing::collect();
  return pool_gave || bufpool::backing::committed_bytes() < before ? 1 : 0;
}

// Memory that was passed on counts as in use, because mimalloc tells what it holds and not what it
// has handed out.
BUFPOOL_EXPORT struct mallinfo2 mallinfo2() noexcept {
  const PoolTotals totals = the_pool.figures().totals();
  const std::size_t passed = bufpool::backing::committed_bytes();
  struct mallinfo2 info = {};
  info.arena = totals.carved_bytes + passed;
  info.ordblks = totals.idle_buffers;
  info.uordblks = totals.in_use_bytes + passed;
  info.fordblks = totals.idle_bytes;
  info.keepcost = totals.idle_bytes;
  return info;
}

BUFPOOL_EXPORT struct mallinfo mallinfo() noexcept {
  const struct mallinfo2 wide = mallinfo2();
  struct mallinfo info = {};
  info.arena = saturated(wide.arena);
  info.ordblks = saturated(wide.ordblks);
  info.uordblks = saturated(wide.uordblks);
  info.fordblks = saturated(wide.fordblks);
  info.keepcost = saturated(wide.keepcost);
  return info;
}

// Writes glibc's XML with one heap, so that programs that read glibc's read this. A thread that is
// to be cancelled is cancelled afterwards: this function is declared to throw nothing, and
// cancelling unwinds as a throw does.
BUFPOOL_EXPORT int malloc_info(int options, FILE* stream) noexcept {
  if (options != 0) return EINVAL;
  int old_state = PTHREAD_CANCEL_ENABLE;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old_state);
  const struct mallinfo2 info = mallinfo2();
  std::fprintf(stream,
               "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n"
               "<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
               "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
               "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
               "</heap>\n"
               "<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
               "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
               "<total type=\"mmap\" count=\"0\" size=\"0\"/>\n"
               "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
               "</malloc>\n",
               info.ordblks, info.fordblks, info.arena, info.arena, info.ordblks, info.fordblks,
               info.arena, info.arena);
  pthread_setcancelstate(old_state, nullptr);
  return 0;
}

// Prints the report, and then glibc's last lines, because programs search this text for them. Like
// mallinfo2, they count no buffer as one that has a mapping of its own. They go where the program's
// stderr leads: the program may have closed that, and may have a file of its own as descriptor 2.
BUFPOOL_EXPORT void malloc_stats() noexcept {
  const struct mallinfo2 info = mallinfo2();
  std::array<char, 200> closing;
  const int length = std::snprintf(closing.data(), closing.size(),
                                   "Total (incl. mmap):\nsystem bytes     = %10zu\n"
                                   "in use bytes     = %10zu\nmax mmap regions = %10zu\n"
                                   "max mmap bytes   = %10zu\n",
                                   info.arena, info.uordblks, info.hblks, info.hblkhd);
  bufpool::write_report_into(stderr, {closing.data(), static_cast<std::size_t>(length)});
}

// Accepts all settings, as glibc does. What they would tune does not exist here.
BUFPOOL_EXPORT int mallopt(int, int) noexcept { return 1; }
