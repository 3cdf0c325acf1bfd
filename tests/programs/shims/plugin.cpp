// SPDX-License-Identifier: MIT
// Is a plug-in with memory of its own, for the dlopen programs.
#include <string>

#include "tests/programs/promise.h"

namespace {

std::string global(70000, 'g');

}  // namespace

extern "C" {

void* plugin_get(std::size_t bytes) { return promise::get<void>(bytes); }

void plugin_put(void* memory) { promise::put(memory); }

void* plugin_free() { return reinterpret_cast<void*>(free); }

std::size_t plugin_work() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
  std::string text = global;
  text += text;
  return text.size();
}
}
