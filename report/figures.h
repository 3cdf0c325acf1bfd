// SPDX-License-Identifier: MIT
// Describes the contents of a report once: the figures of counters.def with their places in the
// snapshot, and the sums and rates that are computed from them. A signal handler may call each
// function.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pool/telemetry/snapshot.h"

namespace bufpool {

// A counter only grows, a gauge moves, and a peak is the highest value of a gauge.
enum class FigureKind : std::uint8_t { kCounter, kGauge, kPeak };

// Returns the kind that counters.def names by this word. Another word does not compile.
consteval FigureKind figure_kind(std::string_view word) {
  if (word == "counter") return FigureKind::kCounter;
  if (word == "gauge") return FigureKind::kGauge;
  if (word == "peak") return FigureKind::kPeak;
  throw "counters.def: not a kind";  // not constant, so the compiler refuses the row
}

// It is one row of counters.def, with the place of its value in `Row`.
template <typename Row>
struct Figure {
  std::string_view name;
  std::string_view unit;
  FigureKind kind;
  std::string_view sentence;
  std::uint64_t Row::*value;
};

inline constexpr auto kProcessFigures = std::to_array<Figure<Snapshot>>({
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) \
  {#name, #unit, figure_kind(#kind), sentence, &Snapshot::name},
#include "pool/telemetry/counters.def"
});

inline constexpr auto kClassFigures = std::to_array<Figure<ClassSnapshot>>({
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) \
  {#name, #unit, figure_kind(#kind), sentence, &ClassSnapshot::name},
#include "pool/telemetry/counters.def"
});

// Returns whether the class is in use and has a figure to report.
[[nodiscard]] bool is_live(const ClassSnapshot& row) noexcept;

// Returns whether any class of the snapshot is_live().
[[nodiscard]] bool any_live(const Snapshot& snapshot) noexcept;

// Returns the sum of every counter and gauge over all classes. A sum that does not fit is the
// largest number. Peaks have no sum, because the classes did not reach them at the same time: they
// are 0, and so is buffer_bytes.
[[nodiscard]] ClassSnapshot totals_of(const Snapshot& snapshot) noexcept;

// Returns `part` of `whole` in hundredths of a percent, rounded down. It returns 10000 where `part`
// is as much as `whole` or more, and 0 where `whole` is 0.
[[nodiscard]] std::uint64_t basis_points(std::uint64_t part, std::uint64_t whole) noexcept;

// Returns the mode as the report names it: pass-through, rseq or locked; unknown for a mode of a
// later version.
[[nodiscard]] std::string_view mode_word(PoolMode mode) noexcept;

}  // namespace bufpool
