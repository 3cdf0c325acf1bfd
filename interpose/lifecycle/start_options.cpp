// SPDX-License-Identifier: MIT
#include "interpose/lifecycle/start_options.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "interpose/heap.h"
#include "interpose/messages/message.h"
#include "interpose/messages/told_variables.h"
#include "pool/options/name_patterns.h"
#include "report/figures.h"

namespace bufpool {
namespace {

// sysexits.h has this number for a system that is not configured, or is configured wrongly.
constexpr int kMisconfigured = 78;

void complain(const Complaints& complaints) noexcept {
  const std::size_t kept = std::min(complaints.count, Complaints::kKept);
  for (std::size_t i = 0; i < kept; ++i) {
    char sentence[400];
    say(describe(complaints.kept[i], sentence));
  }
  const std::size_t more = complaints.count - kept;
  if (more > 0) Message().text("and ").number(more).text(" more wrong variables").say();
}

// Hides those that are kept, and reads the environment again for the others. It ends once none can
// be hidden.
void hide_all_from_children(Complaints complaints) noexcept {
  for (std::size_t before = SIZE_MAX; complaints.count < before;) {
    before = complaints.count;
    const std::size_t kept = std::min(before, Complaints::kKept);
    for (std::size_t i = 0; i < kept; ++i) hide_from_children(complaints.kept[i]);
    if (kept == before) return;
    complaints = {};
    std::ignore = parse_options(environ, complaints);
  }
}

// The command is named as in the report.
bool is_left_out(const Options& options) noexcept {
  const std::string_view command = program_invocation_short_name;
  return (!options.only.empty() && !matches_any(command, options.only)) ||
         matches_any(command, options.skip);
}

}  // namespace

StartOptions read_options() noexcept {
  Complaints complaints;
  StartOptions start;
  start.secure = getauxval(AT_SECURE) != 0;
  start.options = parse_options(start.secure ? nullptr : environ, complaints);
  const bool fatal = start.options.strict && complaints.count > 0;
  const bool told = fatal || !start.options.quiet;
  if (told) complain(complaints);
  if (fatal) syscall(SYS_exit_group, kMisconfigured);
  if (told) hide_all_from_children(complaints);
  start.left_out = is_left_out(start.options);
  return start;
}

void say_options(const Options& options) noexcept {
  Message()
      .text("version ")
      .text(BUFPOOL_VERSION)
      .text(", mode ")
      .text(mode_word(the_pool.figures().mode()))
      .say();
  const auto list = option_list();
  for (std::size_t i = 0; i < list.size(); ++i) {
    char value[256];
    const bool set = (options.set_mask >> i & 1) != 0;
    Message()
        .text("BUFPOOL_")
        .text(list[i].name)
        .text("=")
        .text(effective_value(options, i, value))
        .text(set ? " (environment)" : " (default)")
        .say();
  }
}

}  // namespace bufpool
