// SPDX-License-Identifier: MIT
#include "interpose/lifecycle/start_warmup.h"

#include <cstdint>
#include <string_view>

#include "interpose/heap.h"
#include "interpose/messages/message.h"
#include "report/units.h"

namespace bufpool {
namespace {

// A line names so many sizes, and counts the others, so that its end fits.
constexpr std::uint64_t kMostNamed = 4;

// Makes a line about some of the sizes of the list.
class Line {
 public:
  // Names one more size in the line, which `add(message, is_first)` does, or counts it.
  template <typename Add>
  void name(Add add) noexcept {
    ++sizes_;
    if (sizes_ > kMostNamed) return;
    if (sizes_ > 1) message_.text(", ");
    add(message_, sizes_ == 1);
  }

  // Ends the line and writes it, if it names a size.
  void say(std::string_view end) noexcept {
    if (sizes_ == 0) return;
    if (sizes_ > kMostNamed) {
      message_.text(" and those of ").number(sizes_ - kMostNamed).text(" more sizes");
    }
    message_.text(end).say();
  }

  // Begins the line, before the first size is named.
  explicit Line(std::string_view begin) noexcept { message_.text("BUFPOOL_WARMUP: ").text(begin); }

 private:
  Message message_;
  std::uint64_t sizes_ = 0;
};

// Collects what is not ready.
class Missing {
 public:
  void note_unserved(std::uint64_t size) noexcept {
    unserved_.name([size](Message& message, bool) { message.text(option_bytes(size).view()); });
  }

  void note_short(std::uint64_t warmed, std::uint64_t count, std::uint64_t size) noexcept {
    short_.name([=](Message& message, bool is_first) {
      message.number(warmed).text(" of ").number(count);
      message.text(is_first ? " buffers of " : " of ").text(option_bytes(size).view());
    });
  }

  void say() noexcept {
    short_.say(
        " are ready: warm-up stops at BUFPOOL_RETAIN_MAX or, where that is not set, at half of the "
        "memory that the process may use, and where the system refuses");
    unserved_.say(
        " are ready, as the pool does not serve them (BUFPOOL_MIN_SIZE, BUFPOOL_MAX_SIZE, "
        "BUFPOOL_CLASSES)");
  }

 private:
  Line short_{"only "};
  Line unserved_{"no buffers of "};
};

}  // namespace

void warm_up(const Options& options) noexcept {
  std::string_view list = options.warmup;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
  Missing missing;
  while (next_warmup(list, size, count)) {
    if (!the_pool.sizes().serves(size)) {
      missing.note_unserved(size);
      continue;
    }
    const std::uint64_t warmed = the_pool.control().warm_up(size, count);
    if (warmed < count) missing.note_short(warmed, count, size);
  }
  if (!options.quiet) missing.say();
}

}  // namespace bufpool
