// SPDX-License-Identifier: MIT
// The contents of a report, described once: the figures of counters.def with their places in the
// snapshot, and what follows from them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pool/telemetry/snapshot.h"

namespace bufpool {

enum class FigureKind : std::uint8_t { kCounter, kGauge, kPeak };

consteval FigureKind figure_kind(std::string_view word) {
  if (word == "counter") return FigureKind::kCounter;
  if (word == "gauge") return FigureKind::kGauge;
  if (word == "peak") return FigureKind::kPeak;
  throw "counters.def: not a kind";  // not constant, so the compiler refuses the row
}

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

// Whether the class has anything to tell.
[[nodiscard]] bool is_live(const ClassSnapshot& row) noexcept;
[[nodiscard]] bool any_live(const Snapshot& snapshot) noexcept;

// Every counter and gauge added up over the classes, stopping at the largest number. Peaks were
// not reached at one time and have no sum: they stay 0, as does buffer_bytes.
[[nodiscard]] ClassSnapshot totals_of(const Snapshot& snapshot) noexcept;

// `part` of `whole` in hundredths of a percent, rounded down, so that 10000 means all of it;
// 0 of nothing.
[[nodiscard]] std::uint64_t basis_points(std::uint64_t part, std::uint64_t whole) noexcept;

[[nodiscard]] std::string_view mode_word(PoolMode mode) noexcept;

}  // namespace bufpool
