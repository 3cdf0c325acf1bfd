// SPDX-License-Identifier: MIT
#include "interpose/inheritance/start_environment.h"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "interpose/inheritance/preload_list.h"
#include "pool/options/bounded_text.h"

namespace bufpool {
namespace {

constexpr std::string_view kPrefix = "BUFPOOL_";
constexpr std::string_view kPreload = "LD_PRELOAD=";

// Stands in the place of each variable that was taken out.
constinit char instead[] = "bufpool_inherit=0";

// Returns the path by which the loader knows this library. It is empty if it does not tell.
std::string_view own_path() noexcept {
  Dl_info info{};
  const bool known = dladdr(reinterpret_cast<const void*>(&keep_from_children), &info) != 0;
  return known && info.dli_fname != nullptr ? info.dli_fname : "";
}

bool look_at(std::string_view path, struct stat& file) noexcept {
  char text[PATH_MAX];
  BoundedText ended(text);
  ended.add(path);
  ended.add('\0');
  return ended.fits() && stat(text, &file) == 0;
}

// Whether two paths lead to one file, be it by a link.
bool same_file(std::string_view one, std::string_view other) noexcept {
  struct stat a {};
  struct stat b {};
  return look_at(one, a) && look_at(other, b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Writes the list without this library over it: it becomes no longer. Returns false if nothing is
// left.
bool shorten(char* list) noexcept {
  const std::string_view path = own_path();
  const std::size_t length = without_library(list, path, same_file);
  list[length] = '\0';
  return length != 0;
}

// A string that another library has put there may be a constant: the shorter one is a copy then.
bool shorten_preload(char* entry) noexcept {
  char* const list = entry + kPreload.size();
  if (is_in_start_environment(entry)) return shorten(list);
  char* const copy = strdup(list);
  if (copy == nullptr) return true;
  const bool left = shorten(copy);
  if (left) setenv("LD_PRELOAD", copy, 1);
  std::free(copy);
  return left;
}

bool stays(char* entry) noexcept {
  const std::string_view text(entry);
  if (text.starts_with(kPrefix) && text.find('=') != std::string_view::npos) return false;
  return !text.starts_with(kPreload) || shorten_preload(entry);
}

}  // namespace

// The kernel's random bytes lie below the strings, and the name of the program's file behind them.
bool is_in_start_environment(std::string_view text) noexcept {
  const std::uintptr_t below = getauxval(AT_RANDOM);
  const std::uintptr_t behind = getauxval(AT_EXECFN);
  const auto begin = reinterpret_cast<std::uintptr_t>(text.data());
  return below != 0 && below < begin && begin + text.size() < behind;
}

// The list keeps its length: programs find the kernel's auxiliary vector behind its end, such as
// those of Go that are linked with libc. The argument of main, the program's own environ and libc's
// are this one list.
void keep_from_children() noexcept {
  if (environ == nullptr) return;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!stays(*entry)) *entry = instead;
  }
}

}  // namespace bufpool
