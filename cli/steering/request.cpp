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

void tell_difference(const PooledProcess& before) {
  const PooledProcess after = process_or_fail(before.info.pid);
  const Sample then = sample_of(before.page, before.info);
  const Sample now = sample_of(after.page, after.info);
  print_out("process {} ({}): done; idle {} -> {}, resident {} -> {}\n", after.info.pid,
            after.info.command, short_bytes(sums_of(then.snapshot).idle_bytes),
            short_bytes(sums_of(now.snapshot).idle_bytes), short_bytes(then.snapshot.resident),
            short_bytes(now.snapshot.resident));
}

}  // namespace

ExitCode perform(const Request& request, const PooledProcess& process) {
  const ProcessInfo& info = process.info;
  switch (ask(process, request.verbs, request.patience_ms)) {
    case Answer::kDone:
      request.tell_done(process);
      return ExitCode::kGood;
    case Answer::kRefused:
      print_error("process {} ({}): {}\n", info.pid, info.command, request.refusal);
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

Action prepare_request(Arguments& arguments, std::uint32_t verbs) {
  struct Given {
    std::string target;
    Request request;
  };
  const auto given = std::make_shared<Given>();
  given->request.verbs = verbs;
  given->request.refusal = "the library in it is of another version, and cannot do this";
  given->request.tell_done = tell_difference;
  arguments.required("process", given->target, "a process's number or name");
  arguments.duration("-w,--wait", given->request.patience_ms, "how long to wait for the answer");
  return [given] { return perform(given->request, process_or_fail(pid_of(given->target))); };
}

}  // namespace bufpool
