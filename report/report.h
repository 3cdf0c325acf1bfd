// SPDX-License-Identifier: MIT
// Writes a snapshot as text, JSON or Prometheus metrics, line by line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

#include "pool/options/choices.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// These are the facts of a report that are not in the snapshot.
struct ReportContext {
  std::string_view command;       // any bytes; shown escaped, and cut where it is very long
  std::string_view version;       // of bufpool
  std::uint64_t uptime_ms;        // since the pool started
  std::uint64_t cpu_cache_bytes;  // BUFPOOL_CPU_CACHE in force; 0: not known
};

// No line of a report has more bytes. A line and its newline stay within the 250 bytes that spdlog
// formats without the heap.
inline constexpr std::size_t kLongestLine = 239;

// It is a callable that takes a line and is no LineSink itself.
template <typename Callable>
concept TakesLines = std::is_invocable_v<Callable&, std::string_view> &&
    !std::is_same_v<std::remove_const_t<Callable>, class LineSink>;

// Receives the lines of a report: a function and its context, neither of which it owns. A line has
// no newline, and is valid during the call only.
class LineSink {
 public:
  using Function = void (*)(void* context, std::string_view line) noexcept;

  // Calls `function` with `context` for each line.
  constexpr LineSink(Function function, void* context) noexcept
      : function_(function), context_(context) {}

  // Calls `callable`, which must outlive the sink. The conversion is implicit, so that a lambda can
  // be passed for a sink.
  template <TakesLines Callable>
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr LineSink(Callable& callable) noexcept
      : function_(&call<Callable>), context_(std::addressof(callable)) {}

  void operator()(std::string_view line) const noexcept { function_(context_, line); }

 private:
  template <typename Callable>
  static void call(void* context, std::string_view line) noexcept {
    (*static_cast<Callable*>(context))(line);
  }

  Function function_;
  void* context_;
};

// Writes the report in the given form, line by line. Size classes that were never used are left
// out. It never allocates, locks or fails, because it may run in an `_exit` inside a signal
// handler, while the interrupted thread holds the allocator's locks.
void render(const Snapshot& snapshot, const ReportContext& context, ReportForm form,
            LineSink sink) noexcept;

}  // namespace bufpool
