// SPDX-License-Identifier: MIT
#include "interpose/exit/stream_report.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tuple>

#include "interpose/exit/exit_report.h"
#include "pool/platform/safe_calls.h"
#include "report/descriptor.h"

namespace bufpool {
namespace {

// Printing to a stream is a cancellation point, and a report is not.
class NotCancelled {
 public:
  NotCancelled() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NotCancelled() { pthread_setcancelstate(before_, nullptr); }
  NotCancelled(const NotCancelled&) = delete;
  NotCancelled& operator=(const NotCancelled&) = delete;

 private:
  int before_ = 0;
};

// Tells whether the stream is one of a file. A stream in memory, or of the program's own functions,
// has a number that means nothing. The flag is glibc's _IO_IS_FILEBUF. A program may have a
// `fileno` of its own.
bool has_descriptor(const std::FILE* stream) noexcept {
  constexpr int kIsFile = 0x2000;
  return (stream->_flags & kIsFile) != 0 && stream->_fileno >= 0;
}

// A filter of system calls may kill for a call that the program does not know.
int new_file() noexcept {
  if (platform::expects_filter()) return -1;
  return static_cast<int>(syscall(SYS_memfd_create, "bufpool-report", MFD_CLOEXEC));
}

// Holds the text of a report in a file in memory, as a report is written to a descriptor.
class ReportText {
 public:
  explicit ReportText(std::string_view closing) noexcept : file_(new_file()) {
    struct stat made = {};
    if (!file_.is_open()) return;
    std::ignore = write_report(file_.number(), ReportForm::kText, ReportDetail::kFull, closing);
    if (fstat(file_.number(), &made) != 0 || made.st_size == 0) return;
    void* const mapped = mmap(nullptr, static_cast<std::size_t>(made.st_size), PROT_READ,
                              MAP_PRIVATE, file_.number(), 0);
    if (mapped == MAP_FAILED) return;
    text_ = {static_cast<const char*>(mapped), static_cast<std::size_t>(made.st_size)};
  }
  ~ReportText() {
    if (!text_.empty()) munmap(const_cast<char*>(text_.data()), text_.size());
  }
  ReportText(const ReportText&) = delete;
  ReportText& operator=(const ReportText&) = delete;

  // Returns the text. It is empty where the system gives no file, or no memory for it.
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  Descriptor file_;
  std::string_view text_;
};

}  // namespace

void write_report_into(std::FILE* stream, std::string_view closing) noexcept {
  const NotCancelled not_cancelled;
  if (has_descriptor(stream)) {
    std::fflush(stream);
    std::ignore = write_report(stream->_fileno, ReportForm::kText, ReportDetail::kFull, closing);
    return;
  }
  const ReportText report(closing);
  const std::string_view text = report.text().empty() ? closing : report.text();
  std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace bufpool
