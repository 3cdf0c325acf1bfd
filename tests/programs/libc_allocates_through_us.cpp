// SPDX-License-Identifier: MIT
// Promise: memory from strdup, getline, open_memstream, asprintf, getcwd and realpath of libc is
//   freed and resized like any other.
#include <string>

#include "tests/programs/promise.h"

namespace {

void expect_grown(char* text, std::size_t length) {
  promise::keep(text != nullptr && strlen(text) == length, "the text is whole");
  text = static_cast<char*>(realloc(promise::hide(text), promise::hide(3 * length + 10)));
  promise::keep(text != nullptr && strlen(text) == length, "and after realloc");
  promise::put(text);
}

void expect_streams(const std::string& line) {
  char* text = nullptr;
  std::size_t size = 0;
  FILE* stream = open_memstream(&text, &size);
  fputs(line.c_str(), stream);
  fclose(stream);
  stream = fmemopen(text, size, "r");
  char* read = nullptr;
  std::size_t room = 0;
  promise::keep(getline(&read, &room, stream) == static_cast<ssize_t>(size), "getline");
  fclose(stream);
  expect_grown(read, size);
  expect_grown(text, size);
}

}  // namespace

int main() {
  for (const std::size_t length : {10UL, 600UL, 5000UL, 70000UL, 2000000UL}) {
    const std::string line(length, 'x');
    expect_grown(strdup(line.c_str()), length);
    expect_grown(strndup(line.c_str(), length / 2), length / 2);
    expect_streams(line);
    char* printed = nullptr;
    promise::keep(asprintf(&printed, "%s", line.c_str()) > 0, "asprintf");
    expect_grown(printed, length);
  }
  char* folder = getcwd(nullptr, 0);
  expect_grown(realpath(folder, nullptr), strlen(folder));
  promise::put(folder);
}
