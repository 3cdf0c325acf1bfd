// SPDX-License-Identifier: MIT
#include "cli/figures/sums.h"

#include <algorithm>
#include <map>

#include "report/figures.h"

namespace bufpool {
namespace {

template <typename Row>
void add_figure(Row& sum, const Row& other, const Figure<Row>& figure) {
  std::uint64_t& value = sum.*figure.value;
  const bool is_sum = figure.kind != FigureKind::kPeak && figure.unit != "state";
  value = is_sum ? value + other.*figure.value : std::max(value, other.*figure.value);
}

}  // namespace

void add_to(Snapshot& sum, const Snapshot& other) {
  for (const auto& figure : kProcessFigures) add_figure(sum, other, figure);
  std::map<std::uint64_t, ClassSnapshot> rows;  // by buffer_bytes
  for (const Snapshot* const one : {static_cast<const Snapshot*>(&sum), &other}) {
    for (const ClassSnapshot& row : one->classes) {
      if (row.buffer_bytes == 0) continue;
      ClassSnapshot& both = rows[row.buffer_bytes];
      both.buffer_bytes = row.buffer_bytes;
      for (const auto& figure : kClassFigures) add_figure(both, row, figure);
    }
  }
  for (std::size_t i = 0; i < sum.sizes.size(); ++i) sum.sizes[i] += other.sizes[i];
  sum.classes = {};
  std::size_t used = 0;
  for (const auto& [bytes, row] : rows) {
    if (used < sum.classes.size()) sum.classes[used++] = row;
  }
}

}  // namespace bufpool
