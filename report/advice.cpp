// SPDX-License-Identifier: MIT
#include "report/findings.h"
#include "report/forms.h"

namespace bufpool {
namespace {

void advise_mode(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.mode == PoolMode::kPassThrough) {
    sink(
        "mode pass-through: mimalloc serves everything; BUFPOOL_DISABLE is set, or BUFPOOL_ONLY or "
        "_SKIP leave the command out, or there was no memory for the pool (ulimit -v)");
  }
  if (snapshot.mode == PoolMode::kLocked) {
    sink(
        "mode locked: every get and put takes a lock: set BUFPOOL_MODE=auto; if that is so, "
        "restartable sequences are unavailable");
  }
}

}  // namespace

void advise(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  advise_mode(snapshot, sink);
  if (snapshot.mode == PoolMode::kPassThrough) return;
  advise_cpu_cache(snapshot, context, sink);
  advise_retain_max(snapshot, sink);
  advise_trimmer(snapshot, sink);
  advise_range(snapshot, sink);
  advise_classes(snapshot, sink);
  advise_max_buffers(snapshot, sink);
  advise_fallbacks(snapshot, sink);
  advise_misses(snapshot, context, sink);
}

}  // namespace bufpool
