// SPDX-License-Identifier: MIT
// The statistics page of this process, found as a reader from outside finds it. Nothing here
// allocates but read_page().
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <optional>

#include "cli/pages/stats_page_reader.h"
#include "tests/programs/promise.h"

namespace promise {

struct PageMapping {
  std::uintptr_t start = 0;  // 0: there is none
  std::uintptr_t end = 0;
  unsigned long file = 0;  // its inode
  char rights[5] = {};
};

// All of /proc/self/maps, in memory that is no buffer.
inline const char* own_maps() {
  static char text[256 << 10];
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  keep(file >= 0, "the mappings can be read");
  std::size_t length = 0;
  for (ssize_t got; (got = read(file, text + length, sizeof text - 1 - length)) > 0;) {
    length += static_cast<std::size_t>(got);
  }
  close(file);
  text[length] = '\0';
  return text;
}

inline PageMapping own_page() {
  const char* const maps = own_maps();
  for (const char* found = maps; (found = strstr(found, "/memfd:bufpool-stats")) != nullptr;) {
    const char* line = found++;
    while (line > maps && line[-1] != '\n') --line;
    PageMapping page;
    unsigned long offset = 0;
    keep(sscanf(line, "%lx-%lx %4s %lx %*s %lu", &page.start, &page.end, page.rights, &offset,
                &page.file) == 5,
         "a line of the mappings can be read");
    if (offset == 0) return page;  // others lead to the stacks of one CPU
  }
  return {};
}

// Whether the page is a file in a folder.
inline bool has_page_in_folder() {
  char name[24];
  std::snprintf(name, sizeof name, "/%d.", getpid());
  return strstr(own_maps(), name) != nullptr;
}

inline bufpool::StatsPage read_page(const PageMapping& page) {
  keep(page.start != 0, "there is a page");
  bufpool::StatsPageFault fault{};
  const auto* const start = reinterpret_cast<const std::byte*>(page.start);
  std::optional<bufpool::StatsPage> read =
      bufpool::StatsPage::parse({start, page.end - page.start}, fault);
  keep(read.has_value(), bufpool::describe(fault).data());
  return *read;
}

// A figure of the class that serves requests of `bytes`.
inline std::uint64_t figure(const bufpool::StatsPage& page, const char* name, std::size_t bytes) {
  const bufpool::StatsField* const field = page.find(bufpool::StatsScope::kClass, name);
  keep(field != nullptr, name);
  for (std::uint32_t c = 0; c < page.class_count(); ++c) {
    if (page.buffer_bytes(c) >= bytes) return page.value(*field, c);
  }
  return 0;
}

}  // namespace promise
