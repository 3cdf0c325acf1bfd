// SPDX-License-Identifier: MIT
#include "interpose/exit/exit_report_target.h"

#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "interpose/messages/message.h"
#include "pool/platform/process.h"
#include "report/report_target.h"

namespace bufpool {
namespace {

// The kind of a setting does not depend on the process, so any process will do.
ReportTarget::Kind kind_of(std::string_view setting) noexcept {
  char path[PATH_MAX];
  return report_target(setting, {1, "c", 1}, path).kind;
}

// Adds the current folder, and returns 0, or the error because of which it is not known. A percent
// sign in it begins no word, so it is doubled.
int add_folder(BoundedText& text) noexcept {
  const int kept = errno;
  char folder[PATH_MAX];
  if (getcwd(folder, sizeof folder) == nullptr) return std::exchange(errno, kept);
  for (const char c : std::string_view(folder)) {
    if (c == '%') text.add(c);
    text.add(c);
  }
  text.add('/');
  return 0;
}

}  // namespace

bool ExitReportTarget::keep(std::string_view setting) noexcept {
  BoundedText text({setting_, sizeof setting_ - 1});
  if (kind_of(setting) == ReportTarget::Kind::kFile && setting[0] != '/') {
    folder_error_ = add_folder(text);
  }
  text.add(setting);
  return text.fits();
}

void ExitReportTarget::choose(std::string_view setting) noexcept {
  using Parsed = ReportTarget::Kind;
  const bool kept = keep(setting);
  const Parsed parsed = kind_of(setting_);
  if (!kept || parsed == Parsed::kTooLong) {
    return say("BUFPOOL_REPORT: the file name is too long");
  }
  if (parsed == Parsed::kOff) return;
  kind_ = parsed == Parsed::kStderr ? Kind::kStderr : Kind::kFile;
}

const char* ExitReportTarget::path_now(std::string_view command,
                                       std::span<char> path) const noexcept {
  const TargetNames names{platform::process_id(), command,
                          static_cast<std::uint64_t>(time(nullptr))};
  return report_target(setting_, names, path).path;
}

}  // namespace bufpool
