// SPDX-License-Identifier: MIT
#include "pool/platform/linux/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "pool/options/bounded_text.h"

namespace bufpool::platform {
namespace {

// Hands `visit` the lines of a file until it returns true, or one is longer than the buffer.
template <typename Visit>
void visit_lines(const char* path, std::span<char> buffer, Visit visit) noexcept {
  ReadOnlyFile file(path);
  std::size_t used = 0;
  while (used < buffer.size()) {
    const std::size_t length = file.read(buffer.subspan(used));
    if (length == 0) return;
    std::string_view text(buffer.data(), used + length);
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (visit(text.substr(0, end))) return;
      text.remove_prefix(end + 1);
    }
    std::memmove(buffer.data(), text.data(), text.size());
    used = text.size();
  }
}

bool list_has(std::string_view list, std::string_view word) noexcept {
  for (std::size_t comma = list.find(','); comma != std::string_view::npos;
       comma = list.find(',')) {
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(comma + 1);
  }
  return list == word;
}

// Returns the group in a line such as "4:cpu,memory:/shop/web" that has the controller. It is empty
// for other lines. The line of version 2 has the number 0 and no controllers.
std::string_view group_in(std::string_view line, std::string_view controller) noexcept {
  const std::size_t first = line.find(':');
  const std::size_t second = line.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return {};
  const std::string_view list = line.substr(first + 1, second - first - 1);
  if (controller.empty() && line.substr(0, first) != "0") return {};
  return list_has(list, controller) ? line.substr(second + 1) : std::string_view{};
}

}  // namespace

Descriptor::~Descriptor() {
  if (is_open()) syscall(SYS_close, number_);
}

int Descriptor::release() noexcept { return std::exchange(number_, -1); }

// What was made here has the close-on-exec flag. If descriptor 0 lacks it, a filter answered with
// success, and the descriptor is the program's.
int own_descriptor(long made) noexcept {
  if (made < 0 || made > STDERR_FILENO) return static_cast<int>(made);
  if (syscall(SYS_fcntl, made, F_GETFD) != FD_CLOEXEC) return -1;
  const Descriptor low(static_cast<int>(made));
  return static_cast<int>(syscall(SYS_fcntl, made, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

int open_file(const char* path, int flags) noexcept {
  return own_descriptor(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK));
}

ReadOnlyFile::ReadOnlyFile(const char* path) noexcept : file_(open_file(path, O_RDONLY)) {}

std::size_t ReadOnlyFile::read(std::span<char> to) noexcept {
  if (!is_open()) return 0;
  const long length = syscall(SYS_read, file_.number(), to.data(), to.size());
  return length < 0 ? 0 : static_cast<std::size_t>(length);
}

std::size_t ReadOnlyFile::read_at(std::size_t offset, std::span<char> to) noexcept {
  if (!is_open()) return 0;
  const long length = syscall(SYS_pread64, file_.number(), to.data(), to.size(), offset);
  return length < 0 ? 0 : static_cast<std::size_t>(length);
}

Path::Path(std::initializer_list<std::string_view> parts) noexcept {
  BoundedText text({text_, sizeof text_ - 1});
  for (const std::string_view part : parts) text.add(part);
  text_[text.fits() ? text.text().size() : 0] = '\0';
}

std::string_view beginning_of(const char* path, std::span<char> buffer) noexcept {
  return {buffer.data(), ReadOnlyFile(path).read(buffer)};
}

Number leading_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{}) return {};
  return {value, {stopped, static_cast<std::size_t>(end - stopped)}};
}

namespace {

// Looks at the beginning of each line that it is fed in pieces: a line in front of those that are
// wanted may be long.
class LineLooker {
 public:
  explicit LineLooker(std::span<NumberLine> wanted) noexcept : wanted_(wanted) {}

  void feed(std::string_view piece) noexcept {
    for (const char c : piece) {
      if (c == '\n') {
        look({line_, length_});
        length_ = 0;
      } else if (length_ < sizeof line_) {
        line_[length_++] = c;
      }
    }
  }

  [[nodiscard]] bool has_all() const noexcept { return found_ == wanted_.size(); }

 private:
  void look(std::string_view line) noexcept {
    for (NumberLine& wanted : wanted_) {
      if (wanted.value != kUnknown || !line.starts_with(wanted.name)) continue;
      line.remove_prefix(std::min(line.size(), line.find_first_of("0123456789")));
      wanted.value = leading_number(line).value;
      ++found_;
      return;
    }
  }

  std::span<NumberLine> wanted_;
  std::size_t found_ = 0;
  char line_[48];
  std::size_t length_ = 0;
};

}  // namespace

bool read_numbers(const char* path, std::span<NumberLine> lines) noexcept {
  ReadOnlyFile file(path);
  if (!file.is_open()) return false;
  LineLooker looker(lines);
  char piece[512];
  while (!looker.has_all()) {
    const std::size_t got = file.read(piece);
    if (got == 0) break;
    looker.feed({piece, got});
  }
  return true;
}

OwnGroup::OwnGroup(const char* root, std::string_view controller) noexcept {
  visit_lines(Path({root, "/proc/self/cgroup"}).c_str(), text_,
              [&](std::string_view line) noexcept {
                path_ = group_in(line, controller);
                return !path_.empty();
              });
  if (path_ == "/" || !path_.starts_with('/')) path_ = {};
}

}  // namespace bufpool::platform
