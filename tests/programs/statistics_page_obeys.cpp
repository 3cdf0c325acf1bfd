// SPDX-License-Identifier: MIT
// Promise: who may write to the process's memory can ask it, on its statistics page, to give idle
//   memory back, to forget peaks, and to find out what is retained. It answers at its next slow
//   path, and refuses what it does not know.
// Env: BUFPOOL_RETAIN_TIME=1440m BUFPOOL_RETAIN_MAX=1G BUFPOOL_TRIMMER=off
#include <sys/uio.h>

#include "tests/programs/own_page.h"

namespace {

constexpr std::size_t kBytes = 300'000;
constexpr int kCount = 50;

// As a reader from outside does it.
void ask(const promise::PageMapping& page, std::uint32_t verbs) {
  const bufpool::StatsPage read = promise::read_page(page);
  bufpool::StatsControl control = read.control();
  control.verbs = verbs;
  ++control.request;
  const iovec here{&control, offsetof(bufpool::StatsControl, refused)};
  const iovec there{reinterpret_cast<void*>(page.start + read.header().control), here.iov_len};
  promise::keep(
      process_vm_writev(getpid(), &here, 1, &there, 1, 0) == static_cast<ssize_t>(here.iov_len),
      "the request is written");
  static std::size_t never_used = 90'000;
  promise::use(never_used);
  never_used += 40'000;
  const bufpool::StatsControl answer = promise::read_page(page).control();
  promise::keep(answer.done == control.request, "it is answered");
  constexpr std::uint32_t kKnown =
      bufpool::kStatsTrim | bufpool::kStatsResetPeaks | bufpool::kStatsLook;
  promise::keep(answer.refused == (verbs & ~kKnown), "what is not known is refused");
}

void make_idle() {
  std::array<void*, kCount> held{};
  for (void*& buffer : held) {
    buffer = promise::get<void>(kBytes);
    promise::fill(buffer, kBytes, 1);
  }
  for (void* buffer : held) promise::put(buffer);
}

}  // namespace

int main() {
  make_idle();
  const promise::PageMapping page = promise::own_page();
  const auto now = [&](const char* name) {
    return promise::figure(promise::read_page(page), name, kBytes);
  };
  // What is over the budget of the start goes back in calls.
  promise::keep(now("idle") >= kCount * kBytes / 2, "buffers are idle");
  promise::keep(now("in_use_peak") == kCount, "there was a peak");
  ask(page, bufpool::kStatsLook);
  promise::keep(promise::read_page(page).looked_ns() != 0, "it looked");
  promise::keep(now("retained") * 10 >= now("idle") * 8, "what is idle is retained");
  ask(page, bufpool::kStatsResetPeaks);
  promise::keep(now("in_use_peak") == 0, "the peak is forgotten");
  ask(page, bufpool::kStatsTrim);
  promise::keep(now("idle") < 3 * kBytes, "nearly all that was idle went back");
  ask(page, bufpool::kStatsReport | 1U << 31);
  make_idle();
  promise::keep(now("in_use_peak") == kCount, "there is a new peak");
}
