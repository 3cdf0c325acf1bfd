// SPDX-License-Identifier: MIT
// The figures of a process at one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/pages/process_reader.h"
#include "cli/pages/stats_page_reader.h"
#include "cli/profile/profile.h"
#include "pool/telemetry/snapshot.h"
#include "report/report.h"

namespace bufpool {

struct Sample {
  std::uint64_t time_ms = 0;    // since 1970
  std::uint64_t uptime_ms = 0;  // since the page was made
  std::uint64_t cpu_cache_bytes = 0;
  std::string command;
  std::string version;
  Snapshot snapshot{};
  std::optional<Profile> profile;  // where the process samples, and somebody asked for it

  // What a report says beside the snapshot. It is valid as long as the sample is.
  [[nodiscard]] ReportContext context() const noexcept {
    return {command, version, uptime_ms, cpu_cache_bytes};
  }
};

// Returns the figures of a page as they are now.
[[nodiscard]] Sample sample_of(const StatsPage& page);
// The same, with what the kernel says of the living process.
[[nodiscard]] Sample sample_of(const StatsPage& page, const ProcessInfo& info);

// Puts what the kernel says of the process into the sample of its page.
void tell_use(Sample& sample, const StatsPage& page, const ProcessInfo& info);

// Puts what the page has of samples into the sample, with the names that are known: of a process
// that lives, or of what one left.
void tell_profile(Sample& sample, const StatsPage& page, AddressNames& names);
void tell_last_profile(Sample& sample, const StatsPage& page, AddressNames& names);
// The same of a living process, which is looked at for the names. There are none if it has ended or
// executed another program since its page was read.
void tell_profile(Sample& sample, const PooledProcess& process);

// Returns the milliseconds since 1970, and the nanoseconds since the machine started.
[[nodiscard]] std::uint64_t now_ms();
[[nodiscard]] std::uint64_t boot_ns();

}  // namespace bufpool
