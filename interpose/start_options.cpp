// SPDX-License-Identifier: MIT
#include "interpose/start_options.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "interpose/heap.h"
#include "interpose/messages/message.h"
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

}  // namespace

StartOptions read_options() noexcept {
  Complaints complaints;
  StartOptions start;
  start.secure = getauxval(AT_SECURE) != 0;
  start.options = parse_options(start.secure ? nullptr : environ, complaints);
  if (!start.options.quiet) complain(complaints);
  if (start.options.strict && complaints.count > 0) syscall(SYS_exit_group, kMisconfigured);
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
