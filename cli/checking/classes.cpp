// SPDX-License-Identifier: MIT
// `bufpool classes`: the size classes, built-in or of a process.
#include <algorithm>
#include <memory>

#include "cli/figures/target.h"
#include "cli/forms/sizes.h"
#include "cli/forms/table.h"
#include "cli/verbs.h"
#include "pool/options/limits.h"
#include "report/units.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
};

// Four classes a doubling. Each serves a header of the program on top of its round size. The waste
// is that of the smallest request.
ExitCode show_built_in() {
  Table table({{"class"}, {"from"}, {"to"}, {"waste%"}});
  std::uint64_t least = kMinSize;
  std::uint64_t step = kMinSize / 4;
  for (std::uint64_t round = kMinSize; round <= kMaxSize; round += step) {
    if (round == 8 * step) step *= 2;
    const std::uint64_t most = round + kHeaderRoom;
    table.add({std::string(class_name(most).view()), std::to_string(least), std::to_string(most),
               percent_text(most - least, most)});
    least = most + 1;
  }
  table.print();
  return ExitCode::kGood;
}

// Classes that were never used are not known from outside.
ExitCode show_used(const Sample& sample) {
  Table table({{"class"}, {"to"}, {"gets"}, {"hit%"}, {"in use"}, {"peak"}, {"idle"}, {"waste%"}});
  for (const ClassSnapshot& row : sample.snapshot.classes) {
    if (row.buffer_bytes == 0) continue;
    const std::uint64_t waste = row.granted - std::min(row.asked, row.granted);
    table.add({std::string(class_name(row.buffer_bytes).view()), std::to_string(row.buffer_bytes),
               std::to_string(row.gets), percent_text(row.hits, row.gets),
               std::to_string(row.in_use), std::to_string(row.in_use_peak), short_bytes(row.idle),
               percent_text(waste, row.granted)});
  }
  table.print();
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("target", options->target, "",
                 "a process's number or name, or a file: the classes that it uses");
  return [options] {
    return options->target.empty() ? show_built_in() : show_used(sample_named(options->target, ""));
  };
}

}  // namespace

extern const Verb kClassesVerb{"classes", "the size classes, built-in or of a process",
                               "bufpool classes\nbufpool classes $PID", prepare};

}  // namespace bufpool
