// SPDX-License-Identifier: MIT
// The bytes of a statistics page, of a living process or of a file.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/pages/page_mapping.h"
#include "cli/pages/stats_page_reader.h"
#include "report/descriptor.h"

namespace bufpool {

// Reads a page again and again. What is read is a copy, so that nothing can change or vanish
// meanwhile. Parts that the process does not use are not read where that would give them memory.
class PageSource {
 public:
  PageSource() = default;
  // The page that the process has mapped there. Root opens the file itself, which stays readable
  // after the process's end; others read the process's memory, which ends when it executes another
  // program.
  PageSource(pid_t pid, const PageMapping& mapping);
  // A page in a file. is_open() says whether it could be opened. A link is not.
  [[nodiscard]] static PageSource of_file(const std::string& path);

  // Whether there is something to read from.
  [[nodiscard]] bool is_open() const noexcept { return file_.is_open() || memory_.is_open(); }
  // Whether a living process holds the lock of a file in a folder.
  [[nodiscard]] bool is_held() const noexcept;

  // Nothing: `fault` says why, and `error` is the errno if the bytes could not be read at all.
  [[nodiscard]] std::optional<StatsPage> read(StatsPageFault& fault, int& error,
                                              PageParts parts = PageParts::kFigures) const;

 private:
  [[nodiscard]] bool read_at(std::uint64_t offset, std::span<std::byte> bytes, int& error) const;
  [[nodiscard]] std::optional<StatsPage> read_once(StatsPageFault& fault, int& error,
                                                   PageParts parts) const;
  [[nodiscard]] std::uint64_t worth_reading(const StatsHeader& header, std::uint64_t size,
                                            PageParts parts) const;

  Descriptor file_;
  // This is /proc/PID/mem, where there is no file. It leads to the memory that the process had when
  // it was opened, and never to that of another program or process.
  Descriptor memory_;
  int memory_error_ = EBADF;  // the reason why there is none
  std::uint64_t start_ = 0;   // of the page in it
  std::uint64_t bytes_ = 0;   // of the mapping
  bool is_here_ = false;      // it was found in a living process of this machine
};

}  // namespace bufpool
