// SPDX-License-Identifier: MIT
// Keeps the thread on the CPU that it is on, as long as it lives. So the blocks in that CPU's cache
// stay at hand.
#pragma once

#include <sched.h>

namespace bufpool {

class OneCpu {
 public:
  OneCpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneCpu() { sched_setaffinity(0, sizeof before_, &before_); }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace bufpool
