// SPDX-License-Identifier: MIT
#include "report/figures.h"

#include <algorithm>
#include <limits>

namespace bufpool {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t add_up_to_most(std::uint64_t a, std::uint64_t b) noexcept {
  return a > kMost - b ? kMost : a + b;
}

}  // namespace

bool is_live(const ClassSnapshot& row) noexcept {
  return row.buffer_bytes != 0 && (row.gets | row.puts | row.in_use | row.fallbacks) != 0;
}

bool any_live(const Snapshot& snapshot) noexcept {
  return std::any_of(snapshot.classes.begin(), snapshot.classes.end(), is_live);
}

ClassSnapshot totals_of(const Snapshot& snapshot) noexcept {
  ClassSnapshot totals{};
  for (const auto& figure : kClassFigures) {
    if (figure.kind == FigureKind::kPeak) continue;
    auto& total = totals.*figure.value;
    for (const auto& row : snapshot.classes) total = add_up_to_most(total, row.*figure.value);
  }
  return totals;
}

std::uint64_t basis_points(std::uint64_t part, std::uint64_t whole) noexcept {
  constexpr std::uint64_t kAll = 10000;
  if (part >= whole) return whole == 0 ? 0 : kAll;
  while (whole > kMost / kAll) {  // the product below must fit
    part >>= 1;
    whole >>= 1;
  }
  return part * kAll / whole;
}

std::string_view mode_word(PoolMode mode) noexcept {
  switch (mode) {
    case PoolMode::kPassThrough:
      return "pass-through";
    case PoolMode::kRseq:
      return "rseq";
    case PoolMode::kLocked:
      return "locked";
  }
  return "unknown";  // a snapshot of a later version
}

}  // namespace bufpool
