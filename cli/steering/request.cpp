// SPDX-License-Identifier: MIT
#include "cli/steering/request.h"

#include <memory>

#include "cli/figures/rates.h"
#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/steering/page_control.h"
#include "cli/texts/sizes.h"

namespace bufpool {
namespace {

void tell_difference(const PooledProcess& before, const PooledProcess& after) {
  const Sample then = sample_of(before.page, before.info);
  const Sample now = sample_of(after.page, after.info);
  print_out("process {} ({}): done; idle {} -> {}, resident {} -> {}\n", after.info.pid,
            after.info.command, short_bytes(sums_of(then.snapshot).idle_bytes),
            short_bytes(sums_of(now.snapshot).idle_bytes), short_bytes(then.snapshot.resident),
            short_bytes(now.snapshot.resident));
}

ExitCode perform(const Request& request) {
  const PooledProcess process = process_or_fail(pid_of(request.target));
  const ProcessInfo& info = process.info;
  switch (ask(process, request.verbs, request.patience_ms)) {
    case Answer::kDone:
      tell_difference(process, process_or_fail(info.pid));
      return ExitCode::kGood;
    case Answer::kRefused:
      print_error("process {} ({}): its version {} of the library cannot do this\n", info.pid,
                  info.command, process.page.version());
      return ExitCode::kFinding;
    case Answer::kNone:
      break;
  }
  print_error(
      "process {} ({}): it was asked, and has not answered yet. An idle process does it when "
      "it next needs a buffer that is not at hand. Try: bufpool stat {} 1\n",
      info.pid, info.command, info.pid);
  return ExitCode::kFinding;
}

}  // namespace

Action prepare_request(Arguments& arguments, std::uint32_t verbs) {
  const auto request = std::make_shared<Request>();
  request->verbs = verbs;
  arguments.required("process", request->target, "a process's number or name");
  arguments.duration("-w,--wait", request->patience_ms, "how long to wait for the answer");
  return [request] { return perform(*request); };
}

}  // namespace bufpool
