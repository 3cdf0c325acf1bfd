// SPDX-License-Identifier: MIT
// Promise: a large buffer that is freed while its pages are locked, protected, advised, watched or
//   replaced comes back as memory like any other. What was mapped over it is left alone.
// Needs: library
// Run: plain
// Run: wiped BUFPOOL_ZERO=free
// Run: zeroed BUFPOOL_ZERO=alloc
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/programs/memory.h"
#include "tests/programs/ordinary_pages.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;
int file;  // of zeros

struct Pages {
  Pages(char* buffer, std::size_t bytes)
      : start(buffer + (kPage - reinterpret_cast<std::uintptr_t>(buffer) % kPage) % kPage),
        size((buffer + bytes - start) / kPage * kPage) {}
  char* middle() const { return start + size / kPage / 2 * kPage; }

  char* start;
  std::size_t size;
};

int lock(const Pages& pages) { return mlock(pages.start, pages.size); }
int lock_on_fault(const Pages& pages) { return mlock2(pages.start, pages.size, MLOCK_ONFAULT); }
int keep_from_children(const Pages& pages) {
  return madvise(pages.start, pages.size, MADV_DONTFORK);
}
int wipe_in_children(const Pages& pages) {
  return madvise(pages.start, pages.size, MADV_WIPEONFORK);
}
int keep_from_cores(const Pages& pages) { return madvise(pages.start, pages.size, MADV_DONTDUMP); }
int share_equal_pages(const Pages& pages) {
  return madvise(pages.start, pages.size, MADV_MERGEABLE);
}
int make_executable(const Pages& pages) {
  return mprotect(pages.start, pages.size, kReadWrite | PROT_EXEC);
}
int lock_away(const Pages& pages) {
  static const int key = pkey_alloc(0, PKEY_DISABLE_WRITE);
  return key < 0 ? -1 : pkey_mprotect(pages.middle(), kPage, kReadWrite, key);
}
int set_guard(const Pages& pages) {
  constexpr int kGuardInstall = 102;
  return madvise(pages.middle(), kPage, kGuardInstall);
}
// Makes the program answer for faults in the pages from now on.
int watch(const Pages& pages) {
  static const auto watcher =
      static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  uffdio_api api{};
  api.api = UFFD_API;
  static const bool ready = ioctl(watcher, UFFDIO_API, &api) == 0;
  uffdio_register what{};
  what.range = {reinterpret_cast<std::uintptr_t>(pages.start), pages.size};
  what.mode = UFFDIO_REGISTER_MODE_MISSING;
  return ready ? ioctl(watcher, UFFDIO_REGISTER, &what) : -1;
}
int map_over(const Pages& pages) {
  void* const got = mmap(pages.middle(), kPage, kReadWrite, MAP_SHARED | MAP_FIXED, file, 0);
  return got == pages.middle() ? 0 : -1;
}
int map_over64(const Pages& pages) {
  void* const got = mmap64(pages.middle(), kPage, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
  return got == pages.middle() ? 0 : -1;
}
int unmap(const Pages& pages) { return munmap(pages.middle(), kPage); }
int unmap_all(const Pages& pages) { return munmap(pages.start, pages.size); }

struct Alteration {
  const char* name;
  int (*make)(const Pages& pages);
  bool anywhere;  // every kernel and processor can
};

constexpr Alteration kAlterations[] = {
    {"locked", lock, false},
    {"locked on fault", lock_on_fault, false},
    {"kept from children", keep_from_children, true},
    {"wiped in children", wipe_in_children, true},
    {"kept from cores", keep_from_cores, true},
    {"shared where equal", share_equal_pages, false},
    {"executable", make_executable, true},
    {"under a key", lock_away, false},
    {"a guard", set_guard, false},
    {"watched", watch, false},
    {"mapped over", map_over, true},
    {"mapped over by mmap64", map_over64, true},
    {"unmapped in part", unmap, true},
    {"unmapped", unmap_all, true},
};

// Checks in a child, because a child must have the memory, too.
void expect_in_child(const char* memory, std::size_t bytes) {
  const pid_t child = fork();
  if (child == 0) {
    promise::keep(memory[0] == 7 && memcmp(memory, memory + 1, bytes - 1) == 0,
                  "a child has what its parent wrote");
    _exit(0);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child is content");
}

void expect_ordinary(std::size_t bytes) {
  std::array<char*, 3> held{};
  for (char*& memory : held) {
    memory = static_cast<char*>(promise::hide(calloc(1, promise::hide(bytes))));
    promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
    memset(memory, 7, bytes);
    const Pages pages(memory, bytes);
    for (const char* page : {pages.start, pages.middle(), pages.start + pages.size - kPage}) {
      promise::keep(promise::is_mapped_as_any_other(page), "mapped as any other");
    }
  }
  expect_in_child(held[0], bytes);
  for (char* memory : held) promise::put(memory);
}

void alter_and_free(const Alteration& alteration, char* memory, std::size_t bytes) {
  memset(memory, 1, bytes);
  const int result = alteration.make(Pages(memory, bytes));
  promise::keep(result == 0 || !alteration.anywhere, alteration.name);
  promise::put(memory);
}

void expect_file_unharmed() {
  char page[kPage];
  promise::keep(pread(file, page, kPage, 0) == kPage && promise::is_zero(page, kPage),
                "the file is as it was");
}

void try_all(std::size_t bytes) {
  for (const Alteration& alteration : kAlterations) {
    char* const memory = promise::get(bytes);
    alter_and_free(alteration, memory, bytes);
    expect_ordinary(bytes);
    void* const aligned = aligned_alloc(kPage, promise::hide(bytes));
    alter_and_free(alteration, static_cast<char*>(promise::hide(aligned)), bytes);
    expect_ordinary(bytes);
    void* const grown = realloc(promise::hide(promise::get(bytes / 2)), promise::hide(bytes));
    alter_and_free(alteration, static_cast<char*>(promise::hide(grown)), bytes);
    expect_ordinary(bytes);
    expect_file_unharmed();
  }
}

}  // namespace

int main() {
  file = memfd_create("under a buffer", MFD_CLOEXEC);
  promise::keep(file >= 0 && ftruncate(file, kPage) == 0, "there is a file");
  for (const std::size_t bytes : {std::size_t{20'000}, std::size_t{700'000}, 5 * promise::kMiB}) {
    try_all(bytes);
  }
}
