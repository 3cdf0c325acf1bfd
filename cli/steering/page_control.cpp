// SPDX-License-Identifier: MIT
#include "cli/steering/page_control.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>

#include "cli/command_error.h"

namespace bufpool {
namespace {

[[noreturn]] void fail_to_write(const ProcessInfo& info, int error) {
  if (error == ESRCH) fail("process {} ({}): it has ended", info.pid, info.command);
  fail("process {} ({}): its memory cannot be written ({}); try again with sudo", info.pid,
       info.command, error == EPERM ? "not permitted" : "error " + std::to_string(error));
}

void write_word(const PooledProcess& process, std::size_t offset, std::uint32_t value) {
  const iovec local{&value, sizeof value};
  const std::uint64_t at = process.mapping.start + process.page.header().control + offset;
  const iovec remote{reinterpret_cast<void*>(at), sizeof value};
  if (process_vm_writev(process.info.pid, &local, 1, &remote, 1, 0) != sizeof value) {
    fail_to_write(process.info, errno);
  }
}

StatsControl control_now(const PooledProcess& process) {
  StatsPageFault fault{};
  int error = 0;
  const std::optional<StatsPage> page = process.source.read(fault, error);
  if (page && process_info(process.info.pid)) return page->control();
  fail("process {} ({}): it has ended", process.info.pid, process.info.command);
}

}  // namespace

// What another reader asked for and was not answered yet is asked for again.
Answer ask(const PooledProcess& process, std::uint32_t verbs, std::uint64_t patience_ms) {
  const StatsControl before = control_now(process);
  const bool is_open = before.request != before.done;
  const std::uint32_t request = before.request + 1;
  write_word(process, offsetof(StatsControl, verbs), is_open ? verbs | before.verbs : verbs);
  write_word(process, offsetof(StatsControl, request), request);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  for (;;) {
    const StatsControl now = control_now(process);
    if (now.done == request) {
      return (now.refused & verbs) != 0 ? Answer::kRefused : Answer::kDone;
    }
    if (std::chrono::steady_clock::now() >= end) return Answer::kNone;
    usleep(5000);
  }
}

}  // namespace bufpool
