// SPDX-License-Identifier: MIT
#include "pool/platform/safe_calls.h"

#include <atomic>
#include <cstdint>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"

namespace bufpool::platform {
namespace {

constinit int filters_at_start = kNotTold;
constinit std::atomic<bool> filter_is_expected{false};

}  // namespace

// "Seccomp:" is 0 without filters and 2 with some. "Seccomp_filters:" says how many, since Linux
// 5.9.
int call_filters(const char* status) noexcept {
  constexpr std::uint64_t kFiltered = 2;
  const KeepErrno keep;
  NumberLine lines[] = {{"Seccomp:"}, {"Seccomp_filters:"}};
  if (!read_numbers(status, lines)) return kNotTold;
  const std::uint64_t mode = lines[0].value;
  const std::uint64_t filters = lines[1].value;
  if (mode == 0) return 0;
  return mode == kFiltered && filters != kUnknown ? static_cast<int>(filters) : kNotTold;
}

void remember_filters() noexcept { filters_at_start = call_filters(); }

SafeCalls safe_calls(const char* status) noexcept {
  const int filters = call_filters(status);
  if (filters == 0) return SafeCalls::kAny;
  const bool as_at_start = filters != kNotTold && filters == filters_at_start;
  return as_at_start ? SafeCalls::kLoaders : SafeCalls::kFew;
}

void expect_filter() noexcept { filter_is_expected.store(true, std::memory_order_relaxed); }

bool expects_filter() noexcept { return filter_is_expected.load(std::memory_order_relaxed); }

}  // namespace bufpool::platform
