// SPDX-License-Identifier: MIT
// `bufpool classes`: the size classes, built-in or of a process.
#include <algorithm>
#include <memory>

#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/texts/sizes.h"
#include "cli/texts/table.h"
#include "cli/verbs.h"
#include "pool/options/limits.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
  bool has_sizes = false;
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

// The sizes asked for, each with the class that serves it.
void show_sizes(const Snapshot& snapshot) {
  Table table({{"up to"}, {"misses"}, {"share%"}, {"class"}, {"waste%"}});
  std::uint64_t all = 0;
  for (const std::uint64_t misses : snapshot.sizes) all += misses;
  if (all == 0) return;
  for (std::size_t i = 1; i < snapshot.sizes.size(); ++i) {
    if (snapshot.sizes[i] == 0) continue;
    const std::uint64_t bytes = built_in_bytes(i);
    const auto server =
        std::find_if(snapshot.classes.begin(), snapshot.classes.end(),
                     [bytes](const ClassSnapshot& row) { return row.buffer_bytes >= bytes; });
    if (server == snapshot.classes.end()) continue;
    table.add({std::string(class_name(bytes).view()), std::to_string(snapshot.sizes[i]),
               percent_text(snapshot.sizes[i], all),
               std::string(class_name(server->buffer_bytes).view()),
               percent_text(server->buffer_bytes - bytes, server->buffer_bytes)});
  }
  print_out("\nsizes asked for, as the misses show them\n");
  table.print();
}

ExitCode show_used(const Sample& sample, bool has_sizes) {
  Table table({{"class"}, {"to"}, {"gets"}, {"hit%"}, {"in use"}, {"peak"}, {"idle"}, {"waste%"}});
  for (const ClassSnapshot& row : sample.snapshot.classes) {
    if (!is_live(row)) continue;
    const std::uint64_t waste = row.granted - std::min(row.asked, row.granted);
    table.add({std::string(class_name(row.buffer_bytes).view()), std::to_string(row.buffer_bytes),
               std::to_string(row.gets), percent_text(row.hits, row.gets),
               std::to_string(row.in_use), std::to_string(row.in_use_peak), short_bytes(row.idle),
               percent_text(waste, row.granted)});
  }
  table.print();
  if (has_sizes) show_sizes(sample.snapshot);
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("target", options->target, "",
                 "a process's number or name, or a file: the classes that it uses");
  arguments.flag("--sizes", options->has_sizes, "show the sizes asked for, too");
  return [options] {
    return options->target.empty()
               ? show_built_in()
               : show_used(sample_named(options->target, ""), options->has_sizes);
  };
}

}  // namespace

extern const Verb kClassesVerb{"classes", "the size classes, built-in or of a process",
                               "bufpool classes\nbufpool classes $PID --sizes", prepare};

}  // namespace bufpool
