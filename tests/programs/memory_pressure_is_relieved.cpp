// SPDX-License-Identifier: MIT
// Promise: idle memory that is worth keeping goes back when the system runs short of memory. The
//   system tells it by a sum of waiting times where it grants no trigger. Half is left of what was
//   worth keeping, 8 MiB and the 32 that were warmed up. With BUFPOOL_PRESSURE=0 all stays as it
//   is.
// Needs: library
// Env: BUFPOOL_RETAIN_MAX=256M BUFPOOL_RETAIN_TIME=10m BUFPOOL_WARMUP=64K:512
//   BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=json
// Run: relieved
// Args: relieved
// Stderr: ^"pressure_events": [1-9]
// Stderr: ^"budget": 2[01]\d{6},
// Run: ignored BUFPOOL_PRESSURE=0
// Args: ignored
// Modes: auto
// Stderr: ^"pressure_events": 0,
// Stderr: ^"budget": 4[1234]\d{6},
#include <sched.h>
#include <sys/mount.h>

#include <string_view>

#include "tests/programs/memory.h"

namespace {

constexpr char kTold[] = "/proc/pressure/memory";
constexpr char kOurs[] = "stalls";

void write_text(const char* name, const char* text) {
  const int file = open(name, O_WRONLY | O_CLOEXEC);
  write(file, text, strlen(text));
  close(file);
}

// Only root mounts things. Any other user becomes root in a namespace of users.
bool enter_own_mounts() {
  const unsigned user = geteuid();
  if (user == 0) return unshare(CLONE_NEWNS) == 0;
  char map[32];
  snprintf(map, sizeof map, "0 %u 1", user);
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  write_text("/proc/self/uid_map", map);
  return geteuid() == 0;
}

// Puts a file of the test's where the kernel tells of pressure. Nobody can write a trigger in it.
// It is there for this process alone.
bool mount_ours() {
  // More restrictions are allowed everywhere. Fewer may not be.
  constexpr unsigned long kRestricted = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount(kOurs, kTold, nullptr, MS_BIND, nullptr) == 0 &&
         mount(nullptr, kTold, nullptr, MS_REMOUNT | MS_BIND | kRestricted, nullptr) == 0 &&
         (access("/sys/fs/cgroup", F_OK) != 0 ||
          mount("none", "/sys/fs/cgroup", "tmpfs", kRestricted, nullptr) == 0);
}

// Has the microseconds for which tasks waited for memory, as this process is told.
class Stalls {
 public:
  Stalls() : file_(open(kOurs, O_CREAT | O_RDWR | O_CLOEXEC, 0644)) { grow(); }

  // Adds ten seconds, as if many tasks had waited.
  void grow() {
    total_ += 10'000'000;
    char text[128];
    // The text is always of one length, so that a reader finds all of it at any time.
    const int length = snprintf(text, sizeof text,
                                "some avg10=0.00 avg60=0.00 avg300=0.00 total=%015llu\n", total_);
    promise::keep(pwrite(file_, text, static_cast<std::size_t>(length), 0) == length, "told");
  }

 private:
  int file_;
  unsigned long long total_ = 0;
};

}  // namespace

int main(int, char** arguments) {
  const bool relieved = std::string_view(arguments[1]) == "relieved";
  Stalls stalls;
  if (!enter_own_mounts()) promise::skip("no mounts of its own are to be had");
  if (!mount_ours()) promise::skip("nothing can be mounted over what the kernel tells of pressure");
  promise::keep(open(kTold, O_RDWR | O_CLOEXEC) == -1, "no trigger is to be had");

  { promise::Burst burst(32 * promise::kMiB, 65536); }
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }),
                "it is seen to");
  const std::size_t idle = promise::resident_bytes();
  const auto is_kept = [idle] { return promise::resident_bytes() + 2 * promise::kMiB > idle; };
  promise::sleep_ms(3000);
  promise::keep(is_kept(), "worth keeping without pressure");

  const auto goes_back = [&] {
    stalls.grow();
    return promise::resident_bytes() + 28 * promise::kMiB < idle;
  };
  if (relieved) {
    promise::keep(promise::comes_true(goes_back), "goes back under pressure");
    return 0;
  }
  for (const std::uint64_t start = promise::now_ms(); promise::now_ms() - start < 4000;) {
    stalls.grow();
    promise::sleep_ms(20);
  }
  promise::keep(is_kept(), "stays where pressure is not to be heeded");
}
