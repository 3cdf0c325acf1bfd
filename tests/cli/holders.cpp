// SPDX-License-Identifier: MIT
// Gets buffers by calls that hold them in different ways, for profile_test.py. It writes a letter
// when it has them, and does a step for each letter that it reads.
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t kBytes = 16 << 10;
constexpr int kHeld = 4000;
constexpr int kHeldLong = 1000;
constexpr int kReturned = 20'000;
constexpr long kHeldLongNs = 50'000'000;

void* held[kHeld];
void* held_long[kHeldLong];

void say(char letter) {
  if (write(1, &letter, 1) != 1) _exit(1);
}

bool is_told(char letter) {
  char got = 0;
  return read(0, &got, 1) == 1 && got == letter;
}

}  // namespace

namespace holders {

template <typename T>
[[gnu::noinline]] void* named_by_cpp(T bytes) {
  return std::malloc(bytes);
}

}  // namespace holders

extern "C" {

[[gnu::noinline]] void* gets_for_ever() { return holders::named_by_cpp(kBytes); }

[[gnu::noinline]] void holds_for_ever(int first, int end) {
  for (int i = first; i < end; ++i) held[i] = gets_for_ever();
}

[[gnu::noinline]] void returns_quickly() {
  for (int i = 0; i < kReturned; ++i) std::free(std::malloc(kBytes));
}

[[gnu::noinline]] void holds_long_then_frees() {
  for (void*& buffer : held_long) buffer = std::malloc(kBytes);
  const timespec time{0, kHeldLongNs};
  nanosleep(&time, nullptr);
  for (void* buffer : held_long) std::free(buffer);
}
}

int main() {
  holds_for_ever(0, kHeld / 2);
  holds_for_ever(kHeld / 2, kHeld);
  returns_quickly();
  holds_long_then_frees();
  say('r');
  while (is_told('s')) {
    returns_quickly();
    say('s');
  }
  _exit(0);
}
