// SPDX-License-Identifier: MIT
// Defines the functions of include/bufpool/bufpool.h, for programs that know of the library. The
// header says what they promise.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "interpose/exit/exit_report.h"
#include "interpose/heap.h"
#include "interpose/libc_rules.h"
#include "interpose/lifecycle/lifecycle.h"
#include "pool/addresses/size_classes.h"
#include "pool/backing/backing.h"
#include "pool/options/choices.h"
#include "pool/telemetry/residence.h"
#include "pool/telemetry/snapshot.h"

// In programs the names are weak. Here they are defined.
#define BUFPOOL_API __attribute__((visibility("default")))
#include "include/bufpool/bufpool.h"

using bufpool::ClassIndex;
using bufpool::ClassSnapshot;
using bufpool::Heap;
using bufpool::PoolMode;
using bufpool::ReportDetail;
using bufpool::ReportForm;
using bufpool::the_pool;

namespace {

static_assert(BUFPOOL_RSEQ == static_cast<int>(PoolMode::kRseq));
static_assert(BUFPOOL_LOCKED == static_cast<int>(PoolMode::kLocked));
static_assert(BUFPOOL_PASS_THROUGH == static_cast<int>(PoolMode::kPassThrough));

class KeptErrno {
 public:
  KeptErrno() noexcept : kept_(errno) {}
  ~KeptErrno() { errno = kept_; }
  KeptErrno(const KeptErrno&) = delete;
  KeptErrno& operator=(const KeptErrno&) = delete;

 private:
  int kept_;
};

// The compiler does not know which function this is, so it cannot know that nobody reads what it
// writes.
void* (*const volatile kOverwrite)(void*, int, std::size_t) = std::memset;

// Size, version and two words more are in every version of both structures.
constexpr std::uint32_t kLeastBytes = 16;

template <typename Out>
bool is_good(const Out* out) noexcept {
  return out != nullptr && out->size >= kLeastBytes;
}

// Copies as many bytes as the caller has room for.
template <typename Out>
void hand_over(Out& filled, Out* out) noexcept {
  constexpr std::uint32_t kWord = sizeof(std::uint64_t);
  filled.size = std::min<std::uint32_t>(out->size, sizeof filled) / kWord * kWord;
  filled.version = BUFPOOL_SNAPSHOT_VERSION;
  std::memcpy(out, &filled, filled.size);
}

// No sum of peaks is a peak.
void add_class(struct bufpool_snapshot& out, const ClassSnapshot& row) noexcept {
#define BUFPOOL_ADD_counter(name) out.name += row.name;
#define BUFPOOL_ADD_gauge(name) out.name += row.name;
#define BUFPOOL_ADD_peak(name)
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) BUFPOOL_ADD_##kind(name)
#include "pool/telemetry/counters.def"
}

void set_process(struct bufpool_snapshot& out) noexcept {
  const bufpool::ProcessFigures now = the_pool.figures().of_process();
  out.mode = static_cast<std::uint32_t>(now.mode);
  out.pid = now.pid;
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) out.name = now.name;
#include "pool/telemetry/counters.def"
  out.passed_below = bufpool::PassCounter::total();
  out.passed_above = Heap::passed_above();
  out.passed_within = Heap::passed_within();
}

void set_class(struct bufpool_class_snapshot& out, const ClassSnapshot& row) noexcept {
  out.buffer_bytes = row.buffer_bytes;
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) out.name = row.name;
#include "pool/telemetry/counters.def"
}

}  // namespace

const char* bufpool_version() noexcept { return BUFPOOL_VERSION; }

int bufpool_snapshot(struct bufpool_snapshot* out) noexcept {
  if (!is_good(out)) return EINVAL;
  const KeptErrno kept;
  struct bufpool_snapshot now = {};
  if (bufpool::start_pool()) {
    bufpool::Residence look;
    bufpool::for_each_class(
        [&](ClassIndex c) { add_class(now, the_pool.figures().of_class(c, look)); });
  }
  set_process(now);
  hand_over(now, out);
  return 0;
}

int bufpool_class_snapshot(std::uint32_t index, struct bufpool_class_snapshot* out) noexcept {
  constexpr std::uint32_t kClasses = to_number(bufpool::kLastClass) + 1;
  if (!is_good(out)) return EINVAL;
  const KeptErrno kept;
  if (!bufpool::start_pool()) return ENOTSUP;
  if (index >= kClasses - to_number(bufpool::kFirstClass)) return ENOENT;
  bufpool::Residence look;
  struct bufpool_class_snapshot now = {};
  const ClassIndex c{to_number(bufpool::kFirstClass) + index};
  set_class(now, the_pool.figures().of_class(c, look));
  hand_over(now, out);
  return 0;
}

int bufpool_report(int descriptor, enum bufpool_format format) noexcept {
  const auto write = [descriptor](ReportForm form, ReportDetail detail) noexcept {
    const KeptErrno kept;
    (void)bufpool::start_pool();
    return bufpool::write_report(descriptor, form, detail);
  };
  switch (format) {
    case BUFPOOL_TEXT:
      return write(ReportForm::kText, ReportDetail::kShort);
    case BUFPOOL_TEXT_FULL:
      return write(ReportForm::kText, ReportDetail::kFull);
    case BUFPOOL_JSON:
      return write(ReportForm::kJson, ReportDetail::kFull);
    case BUFPOOL_PROMETHEUS:
      return write(ReportForm::kPrometheus, ReportDetail::kFull);
  }
  return EINVAL;
}

size_t bufpool_trim(std::size_t keep) noexcept {
  const KeptErrno kept;
  const std::uint64_t given = the_pool.control().give_back(keep);
  bufpool::backing::collect();
  return given;
}

size_t bufpool_warm_up(std::size_t size, std::size_t count) noexcept {
  const KeptErrno kept;
  return bufpool::start_pool() ? the_pool.control().warm_up(size, count) : 0;
}

void bufpool_reset_peaks() noexcept {
  const KeptErrno kept;
  the_pool.control().stats().reset_peaks();
}

void* bufpool_get(std::size_t size) noexcept { return bufpool::libc_rules::malloc(Heap{}, size); }

void bufpool_put(void* buffer, std::size_t size) noexcept {
  if (buffer == nullptr) return;
  kOverwrite(buffer, 0, std::min(size, Heap::usable_size(buffer)));
  bufpool::libc_rules::free(Heap{}, buffer);
}
