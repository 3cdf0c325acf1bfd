// SPDX-License-Identifier: MIT
// The only file with a constructor, a destructor and fork handlers.
#include "interpose/lifecycle.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <tuple>

#include "interpose/exit_report.h"
#include "interpose/heap.h"
#include "interpose/message.h"
#include "interpose/next_symbol.h"
#include "pool/options/options.h"
#include "pool/platform/memory_limits.h"

namespace bufpool {
namespace {

enum class Life : int { kUnborn, kStarting, kAlive, kPassing };

constinit std::atomic<Life> life{Life::kUnborn};
constinit Options options{};
constinit bool secure = false;

// sysexits.h: something was found in an unconfigured or misconfigured state.
constexpr int kMisconfigured = 78;

void complain(const Complaints& complaints) noexcept {
  if (options.quiet || complaints.count == 0) return;
  const std::size_t kept = std::min(complaints.count, Complaints::kKept);
  for (std::size_t i = 0; i < kept; ++i) {
    char sentence[400];
    say(describe(complaints.kept[i], sentence));
  }
  const std::size_t more = complaints.count - kept;
  if (more > 0) Message().text("and ").number(more).text(" more wrong variables").say();
}

void read_options() noexcept {
  Complaints complaints;
  secure = getauxval(AT_SECURE) != 0;
  // A program with more rights than its user's must not be steered by the user's variables.
  options = parse_options(secure ? nullptr : environ, complaints);
  complain(complaints);
  if (options.strict && complaints.count > 0) syscall(SYS_exit_group, kMisconfigured);
}

std::string_view mode_name(PoolMode mode) noexcept {
  if (mode == PoolMode::kRseq) return "rseq";
  return mode == PoolMode::kLocked ? "locked" : "pass-through";
}

void say_options() noexcept {
  Message()
      .text("version ")
      .text(BUFPOOL_VERSION)
      .text(", mode ")
      .text(mode_name(the_pool.figures().mode()))
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

void describe_wrong_address(const Fault& fault, Message& message) noexcept {
  const bool inside = fault.address > fault.buffer;
  message.text(": the address is ")
      .number(inside ? fault.address - fault.buffer : fault.buffer - fault.address)
      .text(inside ? " bytes inside the buffer at " : " bytes in front of the buffer at ")
      .address(fault.buffer);
  if (fault.buffer_is_free) message.text(", which is free");
}

void describe(const Fault& fault, Message& message) noexcept {
  const std::string_view call = fault.call == Fault::Call::kFree ? "free" : "realloc";
  switch (fault.kind) {
    case Fault::Kind::kDoubleFree:
      message.text("double free of ").address(fault.address);
      if (fault.call != Fault::Call::kFree) message.text(" at ").text(call);
      message.text(": this buffer is free already");
      return;
    case Fault::Kind::kOverrun:
      message.text("buffer overrun found at ").text(call).text(" of ").address(fault.address);
      message.text(": its guard line is overwritten");
      if (fault.overrun_from == 0) return;
      message.text(", most likely by the buffer at ")
          .address(fault.overrun_from)
          .text(", which ends there");
      return;
    case Fault::Kind::kInnerPointer:
    case Fault::Kind::kInFront:
    case Fault::Kind::kNotHandedOut:
      message.text("invalid ").text(call).text(" of ").address(fault.address);
      if (fault.kind != Fault::Kind::kNotHandedOut) return describe_wrong_address(fault, message);
      message.text(": no buffer was ever handed out there");
      return;
  }
}

void fail(const Fault& fault) {
  Message message;
  describe(fault, message);
  if (fault.class_bytes != 0) message.text(" (class ").number(fault.class_bytes).text(")");
  message.say();
  std::abort();
}

bool bring_to_life() noexcept {
  Life unborn = Life::kUnborn;
  if (!life.compare_exchange_strong(unborn, Life::kStarting)) return unborn == Life::kAlive;
  read_options();
  the_pool.control().set_fault_handler(fail);
  const bool alive = the_pool.open(options);
  // What an owner of more rights does is not for other processes of the user's to see.
  const bool told =
      !alive || secure || the_pool.control().stats().enable(options, the_pool.figures().mode());
  if (!told && !options.quiet) {
    say("BUFPOOL_STATS: it is neither auto, on or off, nor the full path of a folder");
  }
  Heap::learn_limit();
  if (!alive && !options.disable) {
    say("no address space to be had for the pool (ulimit -v?): mimalloc serves everything");
  }
  life.store(alive ? Life::kAlive : Life::kPassing, std::memory_order_release);
  return alive;
}

void at_end() {
  report_exit();
  the_pool.control().stats().remove_name();
}

void warm_up() noexcept {
  std::string_view list = options.warmup;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
  while (next_warmup(list, size, count)) the_pool.control().warm_up(size, count);
}

// Before the program's own constructors and those of libraries loaded after us: there is one
// thread, and libc is ready.
[[gnu::constructor(101)]] void begin() {
  platform::remember_filters();
  const bool alive = bring_to_life();
  find_next_fork();
  find_next_fclose();
  find_next_namespace_calls();
  find_next_page_calls();
  find_next_prctl();
  find_next_thread_ends();
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  if (alive) warm_up();
  if (alive) the_pool.control().trimmer().at_start();
  if (options.verbose) say_options();
  if (secure) return;
  prepare_exit_report(options);
  at_quick_exit(at_end);
}

[[gnu::destructor(101)]] void end() { at_end(); }

}  // namespace

void before_fork() noexcept { the_pool.control().before_fork(); }
void after_fork_in_parent() noexcept { the_pool.control().after_fork_in_parent(); }
void after_fork_in_child() noexcept {
  the_pool.control().after_fork_in_child();
  Heap::reset_counters();
  restart_report_in_child();
}

bool start_pool() noexcept {
  const Life now = life.load(std::memory_order_acquire);
  if (now != Life::kUnborn) return now == Life::kAlive;
  // The loader may ask for memory before libc knows the environment: too early to read options.
  return environ != nullptr && bring_to_life();
}

bool keeps_deepbind() noexcept {
  std::ignore = start_pool();  // which reads the options
  return options.deepbind;
}

bool tells_more() noexcept { return options.verbose; }

}  // namespace bufpool

// Programs that end by these run no destructors.
extern "C" [[gnu::visibility("default"), gnu::noreturn]] void _exit(int status) {
  bufpool::report_exit();
  bufpool::the_pool.control().stats().remove_name();
  for (;;) syscall(SYS_exit_group, status);
}

extern "C" [[gnu::visibility("default"), gnu::noreturn]] void _Exit(int status) noexcept {
  _exit(status);
}
