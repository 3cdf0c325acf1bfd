// SPDX-License-Identifier: MIT
#include "pool/state/row_teller.h"

#include <atomic>

namespace bufpool {

void RowTeller::tell(const SpanCounters& counters, StatsRow& row) const noexcept {
  if (counters.carved_bytes == 0 && row.stride_bytes == 0) return;  // never used
  const ClassForkAccount& then = *at_fork_;
  const std::uint32_t odd = row.sequence | 1;
  // No word that follows is stored before this one.
  std::atomic_ref(row.sequence).exchange(odd, std::memory_order_acq_rel);
  if (row.stride_bytes == 0) put_word(row.retained, ~std::uint64_t{0});
  put_word(row.buffer_bytes, std::uint64_t{buffer_bytes(class_)});
  put_word(row.stride_bytes, std::uint64_t{stride_bytes(class_)});
  put_word(row.gets, counters.misses - then.gets);
  put_word(row.misses, counters.misses - then.misses);
  put_word(row.puts, counters.overflows - then.puts);
  put_word(row.overflows, counters.overflows - then.overflows);
  put_word(row.in_use, counters.misses - counters.overflows);
  put_word(row.granted, counters.misses * stride_bytes(class_) - then.granted);
  put_word(row.idle, counters.idle_bytes + counters.free_bytes);
  put_word(row.carved, counters.carved_bytes);
  put_word(row.purged, counters.purged_bytes - then.purged);
  put_word(row.faulted, counters.faulted_bytes - then.faulted);
  put_word(row.regretted, counters.regretted_bytes - then.regretted);
  std::atomic_ref(row.sequence).store(odd + 1, std::memory_order_release);
}

}  // namespace bufpool
