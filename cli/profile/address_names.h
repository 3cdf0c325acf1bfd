// SPDX-License-Identifier: MIT
// Names the code of a process by its addresses.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/profile/elf_symbols.h"

namespace bufpool {

// A place in a program's code.
struct CodePlace {
  std::uint64_t address = 0;  // a return address
  std::string function;       // empty: not known
  std::string module;         // the name of its file, without the folder; empty: not known
  std::uint64_t offset = 0;   // where in that file it is

  // Returns the function or MODULE+0xOFFSET or the address.
  [[nodiscard]] std::string name() const;
};

// Keeps what it knows, so that a process that has ended meanwhile can still be named. Files may be
// missing or damaged, and then there are no names.
class AddressNames {
 public:
  static constexpr std::uint64_t kMostSymbolBytes = std::uint64_t{512} << 20;
  // Reads so many bytes of symbols at most, of all files together. A file that has more than what
  // is left then is taken for one without symbols.
  explicit AddressNames(std::uint64_t most_symbol_bytes = kMostSymbolBytes)
      : symbol_bytes_left_(most_symbol_bytes) {}
  AddressNames(const AddressNames&) = delete;
  AddressNames& operator=(const AddressNames&) = delete;

  // Returns the lines of a process's mappings that are code; nothing if it has ended or may not be
  // read.
  [[nodiscard]] static std::string code_lines(pid_t pid);
  // Takes these lines for what they are. Without any it keeps what it knows.
  void use(pid_t pid, std::string code_lines);

  // Returns the place of the call that returns there.
  [[nodiscard]] const CodePlace& place_of(std::uint64_t return_address);

  // Returns the lines of /proc/PID/maps that are code.
  [[nodiscard]] const std::string& maps() const noexcept { return maps_; }

 private:
  struct Mapping {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    std::string_view range;  // START-END, in maps_
    std::string_view path;   // in maps_
  };

  void read_mappings();
  // Returns the mapping with this byte, or nullptr if there is none.
  [[nodiscard]] const Mapping* mapping_of(std::uint64_t address) const;
  [[nodiscard]] CodePlace looked_up(std::uint64_t return_address);
  [[nodiscard]] const ElfSymbols& symbols_of(const Mapping& mapping);
  [[nodiscard]] Descriptor opened(const Mapping& mapping) const;

  std::uint64_t symbol_bytes_left_;
  pid_t pid_ = 0;
  std::string maps_;
  std::vector<Mapping> mappings_;  // by start
  std::map<std::string, ElfSymbols, std::less<>> files_;
  std::unordered_map<std::uint64_t, CodePlace> known_;
};

}  // namespace bufpool
