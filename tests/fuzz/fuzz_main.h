// SPDX-License-Identifier: MIT
// Runs a fuzz target where libFuzzer does not.
//
// fuzz_NAME [FILE|FOLDER]...: replays those, then makes up inputs of its own for some seconds.
// libFuzzer brings a main of its own: clang++ -fsanitize=fuzzer -DBUFPOOL_LIBFUZZER
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace bufpool {

inline std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Returns the files, and those in the folders.
inline std::vector<std::filesystem::path> files_in(std::span<char* const> paths) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (const fs::path path : paths) {
    if (!fs::is_directory(path)) files.push_back(path);
    if (!fs::is_directory(path)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  return files;
}

// Replays the files, and then the inputs that `make` makes of 0, 1, 2 and so on, as far as the time
// goes. An input that fails can be made again by its number. Returns the status of the program.
template <typename Make>
int fuzz_main(std::span<char* const> paths, Make make) {
  const std::vector<std::filesystem::path> files = files_in(paths);
  for (const auto& path : files) {
    const std::vector<std::uint8_t> bytes = bytes_of(path);
    std::printf("%s: %zu bytes\n", path.filename().c_str(), bytes.size());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  using Clock = std::chrono::steady_clock;
  const bool take_long = std::getenv("BUFPOOL_LONG") != nullptr;
  const auto end = Clock::now() + std::chrono::seconds(take_long ? 120 : 6);
  unsigned number = 0;
  for (; Clock::now() < end; ++number) {
    const std::vector<std::uint8_t> bytes = make(number);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%zu inputs replayed, %u made up\n", files.size(), number);
  return number > 0 ? 0 : 1;
}

}  // namespace bufpool
