// SPDX-License-Identifier: MIT
// Sets a filter that answers some system calls of this thread with an action, for good.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <initializer_list>
#include <vector>

#include "tests/programs/promise.h"

namespace promise {

struct Answer {
  std::initializer_list<unsigned> numbers;
  unsigned action;
};

// `flags` may make it the filter of all threads: SECCOMP_FILTER_FLAG_TSYNC.
inline void answer_calls(std::initializer_list<Answer> answers, unsigned otherwise,
                         unsigned flags = 0) {
  std::vector<sock_filter> filter;
  filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0));
  for (const Answer& answer : answers) {
    for (const unsigned number : answer.numbers) {
      filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
      filter.push_back(BPF_STMT(BPF_RET | BPF_K, answer.action));
    }
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, otherwise));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0) {
    skip("system calls cannot be filtered here");
  }
}

inline void answer_calls(std::initializer_list<unsigned> numbers, unsigned action) {
  answer_calls({{numbers, action}}, SECCOMP_RET_ALLOW);
}

}  // namespace promise
