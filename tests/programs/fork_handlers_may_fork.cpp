// SPDX-License-Identifier: MIT
// Promise: a fork handler of the program may fork in a process of several threads, before a fork
//   and after it on both sides. All handlers run for that fork, too.
// Run: prepare
// Args: prepare
// Run: parent
// Args: parent
// Run: child
// Args: child
#include <pthread.h>
#include <sys/wait.h>

#include <string_view>

#include "tests/programs/workers.h"

namespace {

struct Calls {
  int prepare;
  int parent;
  int child;
};

std::string_view where;
bool has_forked;
Calls calls;

void keep_calls(const Calls& wanted, const char* who) {
  promise::keep(calls.prepare == wanted.prepare && calls.parent == wanted.parent &&
                    calls.child == wanted.child,
                who);
}

void expect_good_end(pid_t child) {
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "a child ends well");
}

// The process that the handler makes ends here. It has run the handlers of both forks, as far as
// they had begun.
void fork_in(std::string_view handler) {
  if (handler != where || has_forked) return;
  has_forked = true;
  const Calls before = calls;
  const pid_t child = fork();
  if (child == 0) {
    keep_calls({before.prepare + 1, before.parent, before.child + 1}, "in the handler's child");
    promise::use(6000, 200);
    _exit(0);
  }
  expect_good_end(child);
  keep_calls({before.prepare + 1, before.parent + 1, before.child}, "in the handler");
  promise::use(6000, 200);
}

}  // namespace

int main(int, char** arguments) {
  where = arguments[1];
  pthread_atfork([] { ++calls.prepare, fork_in("prepare"); },
                 [] { ++calls.parent, fork_in("parent"); },
                 [] { ++calls.child, fork_in("child"); });
  promise::Workers workers(2);
  alarm(300);
  promise::use(6000, 200);
  const pid_t child = fork();
  if (child == 0) {
    promise::keep(calls.child == 1, "the child's handler ran once");
    promise::use(6000, 200);
    _exit(0);
  }
  expect_good_end(child);
}
