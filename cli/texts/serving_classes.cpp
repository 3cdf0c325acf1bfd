// SPDX-License-Identifier: MIT
#include "cli/texts/serving_classes.h"

#include <algorithm>
#include <bitset>
#include <string_view>

#include "cli/processes/proc_files.h"
#include "cli/texts/sizes.h"
#include "pool/options/limits.h"

namespace bufpool {
namespace {

using ClassSet = std::bitset<kSnapshotClasses>;

// The number of the built-in class for requests of `size` bytes.
std::size_t number_of(std::uint64_t size) {
  std::size_t number = 1;
  while (built_in_bytes(number) < size && built_in_bytes(number) < kMaxSize + kHeaderRoom) ++number;
  return number;
}

std::uint64_t size_or(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t bytes = 0;
  return parse_size(text, bytes) ? bytes : otherwise;
}

ClassSet classes_in(std::string_view list) {
  ClassSet classes;
  if (list.empty()) return classes.set();
  for (const std::string_view part : split(list, ',')) {
    classes.set(number_of(size_or(part, kMaxSize)));
  }
  return classes;
}

// The class that serves `size`: the smallest of them that holds it.
std::size_t server_of(std::uint64_t size, const ClassSet& classes) {
  const std::size_t last = number_of(kMaxSize);
  std::size_t number = number_of(size);
  while (number < last && !classes.test(number)) ++number;
  return number;
}

// The rows of a page stand at the numbers of their classes, those of a report one after the other.
void add_rows(Snapshot& snapshot, const ClassSet& classes, std::size_t from, std::size_t to) {
  auto& rows = snapshot.classes;
  const auto is_free = [](const ClassSnapshot& row) { return row.buffer_bytes == 0; };
  for (std::size_t i = from; i <= to; ++i) {
    const std::uint64_t bytes = built_in_bytes(i);
    const bool is_there = std::any_of(
        rows.begin(), rows.end(), [bytes](const auto& row) { return row.buffer_bytes == bytes; });
    const auto place = std::find_if(rows.begin(), rows.end(), is_free);
    if (classes.test(i) && !is_there && place != rows.end()) place->buffer_bytes = bytes;
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.buffer_bytes - 1 < b.buffer_bytes - 1; });
}

}  // namespace

void add_serving_classes(Snapshot& snapshot, const ServingOptions& options) {
  const ClassSet classes = classes_in(options.classes);
  const std::uint64_t least = size_or(options.min_size, kMinSize);
  const std::uint64_t most = size_or(options.max_size, kMaxSize) + kHeaderRoom;
  if (least > most) return;
  add_rows(snapshot, classes, server_of(least, classes), server_of(most, classes));
}

void add_named_classes(Snapshot& snapshot, std::string_view names) {
  add_rows(snapshot, classes_in(names), 1, number_of(kMaxSize));
}

}  // namespace bufpool
