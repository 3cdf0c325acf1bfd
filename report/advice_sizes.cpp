// SPDX-License-Identifier: MIT
// Advice on the sizes that the pool serves, and on the classes that serve them.
#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "report/activity.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/units.h"

namespace bufpool {
namespace {

using ClassList = FixedText<64>;
using ClassSet = std::bitset<kSnapshotClasses>;  // of built-in classes

// These are the buffers of the smallest and the largest built-in class.
constexpr std::uint64_t kSmallestClass = kMinSize + kHeaderRoom;
constexpr std::uint64_t kLargestClass = kMaxSize + kHeaderRoom;

std::uint64_t largest_class(const Snapshot& snapshot) noexcept {
  std::uint64_t largest = 0;
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes > largest) largest = row.buffer_bytes;
  }
  return largest;
}

std::uint64_t smallest_class(const Snapshot& snapshot) noexcept {
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes != 0) return row.buffer_bytes;
  }
  return 0;
}

void advise_above(const Snapshot& snapshot, LineSink sink) noexcept {
  const std::uint64_t largest = largest_class(snapshot);
  Sentence line;
  line.add("{} requests were above the pooled range", human_count(snapshot.passed_above).view());
  if (largest >= kLargestClass) {
    line.append(", which ends at 1G or at a smaller BUFPOOL_MAX_SIZE");
  } else if (largest != 0) {
    line.add(", whose largest class is {}: set BUFPOOL_MAX_SIZE=1G, and BUFPOOL_CLASSES to match",
             class_name(largest).view());
  }
  sink(line.view());
}

// Returns the number of the built-in class for requests of `size` bytes.
std::size_t built_in_class(std::uint64_t size) noexcept {
  std::size_t number = 1;
  while (built_in_bytes(number) < size && built_in_bytes(number) < kLargestClass) ++number;
  return number;
}

ClassSet classes_in_use(const Snapshot& snapshot) noexcept {
  ClassSet in_use;
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes != 0) in_use.set(built_in_class(row.buffer_bytes));
  }
  return in_use;
}

// Returns the classes as a value of BUFPOOL_CLASSES. It is empty where the list would be too long
// to show.
ClassList list_of(const ClassSet& classes) noexcept {
  ClassList list;
  for (std::size_t i = 1; i < classes.size(); ++i) {
    if (!classes.test(i)) continue;
    if (!list.view().empty()) list.append(",");
    list.append(option_bytes(built_in_bytes(i) - kHeaderRoom).view());
  }
  return list.room() == 0 ? ClassList{} : list;
}

std::uint64_t waste_of(const ClassSnapshot& row) noexcept {
  return row.granted - std::min(row.asked, row.granted);
}

// Returns the class that wastes most of those that waste half of what they grant. A class is left
// alone where the mean of the sizes asked for has a class: alignments and room to grow also waste.
const ClassSnapshot* most_wasteful(const Snapshot& snapshot, const ClassSet& in_use) noexcept {
  constexpr std::uint64_t kMuchWaste = 5000;  // in hundredths of a percent
  constexpr std::uint64_t kManyGetsOfAClass = 100;
  const ClassSnapshot* worst = nullptr;
  for (const auto& row : snapshot.classes) {
    if (row.gets < kManyGetsOfAClass || row.asked > row.granted) continue;
    if (basis_points(waste_of(row), row.granted) < kMuchWaste) continue;
    if (in_use.test(built_in_class(row.asked / row.gets))) continue;
    if (worst == nullptr || waste_of(row) > waste_of(*worst)) worst = &row;
  }
  return worst;
}

// The sizes that a class served, as the misses show them: how many requests of each built-in class
// were too large for the next smaller class in use. They are scaled so that a sum of products with
// sizes fits.
class ServedByClass {
 public:
  ServedByClass(const Snapshot& snapshot, const ClassSet& in_use, std::size_t server) noexcept
      : server_(server) {
    std::size_t below = server - 1;
    while (below > 0 && !in_use.test(below)) --below;
    std::uint64_t most = 0;
    for (std::size_t i = below + 1; i <= server; ++i) {
      seen_[i] = snapshot.sizes[i];
      most = std::max(most, seen_[i]);
    }
    for (; most > kMostSeen; most /= 2) {
      for (std::uint64_t& seen : seen_) seen /= 2;
    }
  }

  // Returns whether there are any, and their mean is about that of all that were asked for. Sizes
  // that mostly hit are rare among the misses, and the mean shows it.
  [[nodiscard]] bool are_like(std::uint64_t mean) const noexcept {
    std::uint64_t count = 0;
    for (const std::uint64_t seen : seen_) count += seen;
    if (count == 0) return false;
    ClassSet all;
    const std::uint64_t most = bytes_with(all.set()) / count;  // each is a fifth less at least
    return most >= mean && most - mean <= mean / 2;
  }

  // Returns the bytes that all of them take with these classes and the one that served them.
  [[nodiscard]] std::uint64_t bytes_with(const ClassSet& classes) const noexcept {
    std::uint64_t bytes = 0;
    std::uint64_t block = built_in_bytes(server_);
    for (std::size_t i = server_; i > 0; --i) {
      if (classes.test(i)) block = built_in_bytes(i);
      bytes += seen_[i] * block;
    }
    return bytes;
  }

  // Returns the class whose addition saves most.
  [[nodiscard]] std::size_t best_beside(const ClassSet& classes) const noexcept {
    std::size_t best = server_;
    std::uint64_t least = bytes_with(classes);
    for (std::size_t i = 1; i < server_; ++i) {
      const std::uint64_t bytes = seen_[i] == 0 ? least : bytes_with(ClassSet(classes).set(i));
      if (bytes >= least) continue;
      best = i;
      least = bytes;
    }
    return best;
  }

 private:
  static constexpr std::uint64_t kMostSeen = std::uint64_t{1} << 24;
  std::size_t server_;
  std::array<std::uint64_t, kSnapshotClasses> seen_{};
};

// Adds the classes that save most, each a tenth at least of what the class grants now, as long as
// the list can be shown. Returns what they save together, in hundredths of a percent.
std::uint64_t add_best(const ServedByClass& served, ClassSet& classes) noexcept {
  constexpr std::uint64_t kLeastSaved = 1000;
  constexpr int kMostAdded = 4;
  const std::uint64_t before = served.bytes_with(classes);
  std::uint64_t now = before;
  for (int i = 0; i < kMostAdded; ++i) {
    const ClassSet more = ClassSet(classes).set(served.best_beside(classes));
    const std::uint64_t bytes = served.bytes_with(more);
    if (basis_points(now - bytes, before) < kLeastSaved || list_of(more).view().empty()) break;
    classes = more;
    now = bytes;
  }
  return basis_points(before - now, before);
}

// Returns `part` hundredths of a percent of `whole`.
std::uint64_t share_of(std::uint64_t whole, std::uint64_t part) noexcept {
  constexpr std::uint64_t kAll = 10000;
  return whole / kAll * part + whole % kAll * part / kAll;
}

// Where no size is known, a class for the mean of the sizes asked for serves some of them, and
// wastes less.
void advise_class_of_mean(const ClassSnapshot& row, const ClassSet& in_use,
                          LineSink sink) noexcept {
  const std::uint64_t mean = row.asked / row.gets;
  const std::size_t wanted = built_in_class(mean);
  const ClassList list = list_of(ClassSet(in_use).set(wanted));
  Sentence line;
  line.add("class {}: {}% of what was granted was waste, as {} were asked for on average: ",
           class_name(row.buffer_bytes).view(),
           percent(basis_points(waste_of(row), row.granted)).view(), human_bytes(mean).view());
  if (list.view().empty()) {
    line.add("add {} to BUFPOOL_CLASSES",
             option_bytes(built_in_bytes(wanted) - kHeaderRoom).view());
  } else {
    line.add("set BUFPOOL_CLASSES={}", list.view());
  }
  sink(line.view());
}

}  // namespace

void advise_range(const Snapshot& snapshot, LineSink sink) noexcept {
  const Activity activity{totals_of(snapshot).gets, snapshot.passed_below, snapshot.passed_above};
  if (!range_advice_is_due(activity)) return;
  if (pool_is_idle(activity) &&
      (largest_class(snapshot) >= kLargestClass || snapshot.passed_above == 0)) {
    Sentence line;
    line.add("bufpool does nothing for this program: {} requests were below its range, {} above ",
             human_count(snapshot.passed_below).view(), human_count(snapshot.passed_above).view());
    line.add("and {} within: {}take it out of LD_PRELOAD", activity.gets,
             smallest_class(snapshot) > kSmallestClass ? "set BUFPOOL_MIN_SIZE=512, or " : "");
    sink(line.view());
  } else {
    advise_above(snapshot, sink);
  }
}

// If the user chose few classes, much larger ones may serve many requests.
void advise_classes(const Snapshot& snapshot, LineSink sink) noexcept {
  ClassSet classes = classes_in_use(snapshot);
  const ClassSnapshot* const worst = most_wasteful(snapshot, classes);
  if (worst == nullptr) return;
  const ServedByClass served(snapshot, classes, built_in_class(worst->buffer_bytes));
  const std::uint64_t saved =
      served.are_like(worst->asked / worst->gets) ? add_best(served, classes) : 0;
  if (saved == 0) return advise_class_of_mean(*worst, classes, sink);
  Sentence line;
  line.add("class {}: {}% of {} granted was waste, and {} less serve the sizes seen: ",
           class_name(worst->buffer_bytes).view(),
           percent(basis_points(waste_of(*worst), worst->granted)).view(),
           human_bytes(worst->granted).view(), human_bytes(share_of(worst->granted, saved)).view());
  line.add("set BUFPOOL_CLASSES={}", list_of(classes).view());
  sink(line.view());
}

}  // namespace bufpool
