// SPDX-License-Identifier: MIT
#include "cli/steering/page_control.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstring>

#include "cli/command_error.h"
#include "cli/processes/proc_files.h"
#include "report/descriptor.h"

namespace bufpool {
namespace {

[[noreturn]] void fail_as_it_ended(const ProcessInfo& info) {
  fail("process {} ({}): it has ended, or is another program now", info.pid, info.command);
}

[[noreturn]] void fail_to_write(const ProcessInfo& info, int error) {
  if (error == 0 || error == ENOENT || error == ESRCH) fail_as_it_ended(info);
  fail("process {} ({}): its memory cannot be written ({}); try again with sudo", info.pid,
       info.command, std::strerror(error));
}

// The page in the process's memory. The descriptor leads to the memory that the process had when it
// was opened: a program that it executes, and a process that gets its number, are out of reach.
class PageMemory {
 public:
  // It throws a CommandError if that memory does not have the page that was found.
  explicit PageMemory(const PooledProcess& process)
      : process_(process),
        memory_(open(proc_path(process.info.pid, "mem").c_str(), O_RDWR | O_CLOEXEC)) {
    if (!memory_.is_open()) fail_to_write(process.info, errno);
    const StatsHeader& found = process.page.header();
    const auto now = read<StatsHeader>(0);
    if (std::memcmp(now.magic, kStatsMagic, sizeof kStatsMagic) == 0 && now.pid == found.pid &&
        now.started_ns == found.started_ns && now.control == found.control) {
      return;
    }
    fail_as_it_ended(process.info);
  }

  [[nodiscard]] StatsControl control() const {
    return read<StatsControl>(process_.page.header().control);
  }

  void write_word(std::size_t offset, std::uint32_t value) const {
    const off_t at = place(process_.page.header().control + offset);
    const ssize_t put = pwrite(memory_.number(), &value, sizeof value, at);
    if (put != sizeof value) fail_to_write(process_.info, put < 0 ? errno : 0);
  }

 private:
  [[nodiscard]] off_t place(std::uint64_t offset) const {
    return static_cast<off_t>(process_.mapping.start + offset);
  }

  template <typename Record>
  [[nodiscard]] Record read(std::uint64_t offset) const {
    Record record;
    const ssize_t got = pread(memory_.number(), &record, sizeof record, place(offset));
    if (got != sizeof record) fail_as_it_ended(process_.info);
    return record;
  }

  const PooledProcess& process_;
  Descriptor memory_;
};

}  // namespace

// What another reader asked for and was not answered yet is asked for again.
Answer ask(const PooledProcess& process, std::uint32_t verbs, std::uint64_t patience_ms) {
  const PageMemory memory(process);
  const StatsControl before = memory.control();
  const bool is_open = before.request != before.done;
  const std::uint32_t request = before.request + 1;
  memory.write_word(offsetof(StatsControl, verbs), is_open ? verbs | before.verbs : verbs);
  memory.write_word(offsetof(StatsControl, request), request);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  for (;;) {
    const StatsControl now = memory.control();
    if (now.done == request) {
      return (now.refused & verbs) != 0 ? Answer::kRefused : Answer::kDone;
    }
    if (std::chrono::steady_clock::now() >= end) return Answer::kNone;
    usleep(5000);
  }
}

}  // namespace bufpool
