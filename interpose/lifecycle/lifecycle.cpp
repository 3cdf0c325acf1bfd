// SPDX-License-Identifier: MIT
// This is the only file with a constructor, a destructor and fork handlers.
#include "interpose/lifecycle/lifecycle.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <tuple>

#include "interpose/exit/exit_report.h"
#include "interpose/heap.h"
#include "interpose/inheritance/start_environment.h"
#include "interpose/lifecycle/main_thread_end.h"
#include "interpose/lifecycle/start_options.h"
#include "interpose/lifecycle/start_warmup.h"
#include "interpose/messages/fault_message.h"
#include "interpose/messages/message.h"
#include "interpose/next_symbol.h"
#include "interpose/thread_space.h"
#include "pool/options/options.h"
#include "pool/platform/process.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {
namespace {

enum class Life : int { kUnborn, kStarting, kAlive, kPassing };

constinit std::atomic<Life> life{Life::kUnborn};
constinit StartOptions start;
// It counts the forks of this thread in which before_fork() was called and what comes after was not
// yet. A signal handler that interrupts a fork may fork, too.
constinit thread_local unsigned forks_under_way [[gnu::tls_model("initial-exec")]] = 0;

bool bring_to_life() noexcept {
  Life unborn = Life::kUnborn;
  if (!life.compare_exchange_strong(unborn, Life::kStarting)) return unborn == Life::kAlive;
  platform::remember_filters();  // the first request, which looks at them, may be a library's
  start = read_options();
  the_pool.control().set_fault_handler(abort_on_fault);
  Options options = start.options;
  options.disable |= start.left_out;
  const bool alive = the_pool.open(options);
  // The figures of a program with more rights than its user's are not for that user to see.
  if (alive && !start.secure) {
    the_pool.control().stats().enable(start.options, the_pool.figures().mode(),
                                      {Heap::passed, reports_to_a_file, append_report});
  }
  ThreadSpace::set_limits_at_start(platform::space_limits());
  if (!alive && !options.disable) {
    say("no address space to be had for the pool (ulimit -v?): mimalloc serves everything");
  }
  if (alive && options.sample != 0 && !the_pool.figures().samples() && !options.quiet) {
    say("BUFPOOL_SAMPLE: no memory to be had for samples: there are none");
  }
  life.store(alive ? Life::kAlive : Life::kPassing, std::memory_order_release);
  return alive;
}

void at_end() {
  report_exit();
  the_pool.control().stats().remove_name();
}

// This runs before the program's own constructors and those of libraries that are loaded later.
// There is one thread, and libc is ready.
[[gnu::constructor(101)]] void begin() {
  const bool alive = bring_to_life();
  find_next_fork();
  find_next_fclose();
  find_next_limit_calls();
  find_next_namespace_calls();
  find_next_page_calls();
  find_next_prctl();
  watch_end_of_main_thread();
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  if (alive) warm_up(start.options);
  if (alive) the_pool.control().trimmer().at_start();
  if (start.options.verbose) say_options(start.options);
  if (start.secure) return;
  if (!start.options.inherit) keep_from_children();
  prepare_exit_report(start.options);
  at_quick_exit(at_end);
  if (alive && reports_while_it_runs()) the_pool.control().trimmer().keep_for(report_if_due);
}

[[gnu::destructor(101)]] void end() { at_end(); }

}  // namespace

void before_fork() noexcept {
  ++forks_under_way;
  the_pool.control().before_fork();
}
void after_fork_in_parent() noexcept {
  the_pool.control().after_fork_in_parent();
  --forks_under_way;
}
void after_fork_in_child() noexcept {
  the_pool.control().after_fork_in_child();
  Heap::reset_counters();
  ThreadSpace::forget_in_child();
  restart_report_in_child();
  watch_end_of_main_thread();
  --forks_under_way;
}

bool is_fork_under_way() noexcept { return forks_under_way != 0; }

bool start_pool() noexcept {
  const Life now = life.load(std::memory_order_acquire);
  if (now != Life::kUnborn) return now == Life::kAlive;
  // The loader may ask for memory before libc knows the environment. That is too early to read
  // options.
  return environ != nullptr && bring_to_life();
}

bool keeps_deepbind() noexcept {
  std::ignore = start_pool();  // this reads the options
  return start.options.deepbind;
}

bool is_verbose() noexcept { return start.options.verbose; }

}  // namespace bufpool
