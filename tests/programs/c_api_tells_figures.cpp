// SPDX-License-Identifier: MIT
// Promise: bufpool_snapshot and bufpool_class_snapshot tell what the process got and gave back, to
//   callers of any version, and keep errno.
// Needs: library
#include "include/bufpool/bufpool.h"
#include "tests/programs/promise.h"

using promise::keep;

namespace {

template <typename Figures>
Figures room() {
  Figures figures{};
  figures.size = sizeof figures;
  return figures;
}

struct bufpool_snapshot all() {
  auto figures = room<struct bufpool_snapshot>();
  keep(bufpool_snapshot(&figures) == 0, "the process has figures");
  return figures;
}

// Returns the class that serves requests of `bytes`.
struct bufpool_class_snapshot class_of(std::size_t bytes) {
  auto figures = room<struct bufpool_class_snapshot>();
  uint64_t below = 0;
  for (uint32_t i = 0; bufpool_class_snapshot(i, &figures) == 0; ++i) {
    keep(figures.buffer_bytes > below, "the classes ascend");
    below = figures.buffer_bytes;
    if (figures.buffer_bytes >= bytes) return figures;
  }
  keep(false, "there is a class");
  return figures;
}

void sizes_are_respected() {
  struct {
    struct bufpool_snapshot known;
    uint64_t more[3];
  } later{};
  later.more[0] = 77;
  later.known.size = sizeof later;
  keep(bufpool_snapshot(&later.known) == 0 && later.known.size == sizeof later.known,
       "what a later header has is left alone");
  keep(later.more[0] == 77 && later.known.version == BUFPOOL_SNAPSHOT_VERSION, "and says so");
  struct bufpool_snapshot earlier {};
  earlier.hits = 77;
  earlier.size = offsetof(struct bufpool_snapshot, hits) + 3;
  keep(bufpool_snapshot(&earlier) == 0, "an earlier header is served");
  keep(earlier.size == offsetof(struct bufpool_snapshot, hits), "with whole members");
  keep(earlier.gets > 0 && earlier.hits == 77, "and no more");
  earlier.size = 8;
  keep(bufpool_snapshot(&earlier) == EINVAL && bufpool_snapshot(nullptr) == EINVAL, "no room");
  auto row = room<struct bufpool_class_snapshot>();
  keep(bufpool_class_snapshot(~0U, &row) == ENOENT, "there are so many classes only");
  keep(bufpool_class_snapshot(0, nullptr) == EINVAL, "no room");
}

}  // namespace

int main() {
  const auto before = all();
  const auto row = class_of(70000);
  std::array<void*, 40> held{};
  for (void*& memory : held) memory = promise::get<void>(70000);
  for (int i = 0; i < 15; ++i) promise::put(held[static_cast<std::size_t>(i)]);
  promise::use(20);
  errno = 12345;
  const auto after = all();
  const auto row_after = class_of(70000);
  sizes_are_respected();
  keep(errno == 12345, "errno is kept");
  keep(row_after.gets - row.gets == 40 && row_after.puts - row.puts == 15, "the class's counts");
  keep(row_after.in_use == 25 && row_after.in_use_peak >= 25, "the class's buffers in use");
  keep(row_after.gets == row_after.hits + row_after.misses, "gets = hits + misses");
  keep(row_after.asked - row.asked == 40 * 70000, "bytes asked for");
  keep(after.gets - before.gets >= 40 && after.in_use >= 25, "the sums have it, too");
  keep(after.pid == static_cast<uint32_t>(getpid()) && after.mode != BUFPOOL_PASS_THROUGH,
       "the process and its mode");
  keep(after.resident > 0 && after.reserved > 0 && after.budget > 0, "the process's memory");
  keep(after.retained <= after.idle && after.passed_below > 0, "idle and passed on");
}
