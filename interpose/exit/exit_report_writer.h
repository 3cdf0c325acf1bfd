// SPDX-License-Identifier: MIT
// Writes the report of this process to a descriptor.
#pragma once

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pool/options/choices.h"
#include "pool/telemetry/snapshot.h"
#include "report/exit_log.h"
#include "report/outlet.h"
#include "report/unnoticed.h"

namespace bufpool {

// Holds everything that a report needs and that is too large for a signal handler's stack. One
// thread uses it at a time. It allocates no memory, and it is never destroyed.
class ExitReportWriter {
 public:
  struct Destination {
    int descriptor;
    Outlet::Use use;
    bool confined;    // the program has locked itself in
    int patience_ms;  // up to the first byte, in milliseconds
  };

  // Notes the time and the process's name. A process may change its title later, as nginx and
  // others do, and libc's own pointer leads to the title. Pre: it is called once, at start.
  void note_start() noexcept;

  // Makes the log ready. Without this call the first write() does so.
  void prepare() noexcept { log_.prepare(); }

  // Returns the process's name, as it was at start.
  [[nodiscard]] std::string_view command() const noexcept;

  // Takes the figures of the pool and of the requests passed on.
  void take_snapshot() noexcept;

  // Writes a report of the last snapshot, and the lines of `closing` behind it, each ended by a
  // newline. Returns 0, or the error because of which not all of it was written.
  [[nodiscard]] int write(const Destination& to, ReportForm form, Unnoticed& unnoticed,
                          std::string_view closing = {}) noexcept;

 private:
  // A report of all classes is shorter. A longer one would leave in two pieces.
  static constexpr std::size_t kReportBytes = 192 << 10;

  ExitLog log_;
  Snapshot snapshot_ = {};
  std::uint64_t started_ms_ = 0;
  char command_[NAME_MAX + 1] = {};
  std::array<char, kReportBytes> text_ = {};
};

}  // namespace bufpool
