// SPDX-License-Identifier: MIT
// What a process asked for, as far as it decides whether a report is worth its lines. A signal
// handler may call each function.
#pragma once

#include <cstdint>
#include <optional>

namespace bufpool {

// Requests: those that the pool served or had to pass on, and those outside of its range.
struct Activity {
  std::uint64_t gets;
  std::uint64_t passed_below;
  std::uint64_t passed_above;
};

// Returns whether the process asked for few buffers in the pooled range, and for many outside it.
[[nodiscard]] bool pool_is_idle(const Activity& activity) noexcept;

// Returns whether the report has advice on the range: that it should be another, or that the pool
// is of no use.
[[nodiscard]] bool range_advice_is_due(const Activity& activity) noexcept;

enum class Worth : std::uint8_t {
  kNothing,
  kIfLongOrLarge,  // worth a report after kShortLifeMs, or with kMuchMapped
  kReport,
};

// Milliseconds. Commands live for less, as a rule.
inline constexpr std::uint64_t kShortLifeMs = 1000;

// Bytes mapped for buffers at the exit. Commands have some 6 MiB, node among them.
inline constexpr std::uint64_t kMuchMapped = std::uint64_t{32} << 20;

// Pooled gets from which a process is worth a report that a user has named a file for
// (BUFPOOL_REPORT_MIN=auto). The file is a wish, where a line on stderr may be unwanted.
inline constexpr std::uint64_t kLeastGetsForAFile = 100;

// Returns whether the process is worth a report. `least` is BUFPOOL_REPORT_MIN; none is auto. With
// 0 each process is.
[[nodiscard]] Worth worth_of_report(const Activity& activity,
                                    std::optional<std::uint64_t> least) noexcept;

}  // namespace bufpool
