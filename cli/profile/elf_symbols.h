// SPDX-License-Identifier: MIT
// The functions of a program's or library's file, by their addresses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/descriptor.h"

namespace bufpool {

// Knows the functions of .symtab or, where a file has been stripped of it, of .dynsym.
class ElfSymbols {
 public:
  // Knows none.
  ElfSymbols() = default;
  // Reads the file, which may be damaged in any way: then it knows few functions, or none. It knows
  // none either if its symbols are more than so many bytes.
  explicit ElfSymbols(const Descriptor& file, std::uint64_t most_bytes = ~std::uint64_t{0});

  // Returns how many bytes of symbols were read, `most_bytes` at most.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  // Returns the function that the byte of the file is a part of, as people write it; empty if there
  // is none.
  [[nodiscard]] std::string function_at(std::uint64_t file_offset) const;

 private:
  struct Segment {
    std::uint64_t offset;
    std::uint64_t bytes;
    std::uint64_t address;
  };
  struct Function {
    std::uint64_t address;
    std::uint64_t bytes;  // 0: not known
    std::uint32_t name;   // where it begins in names_
  };

  std::uint64_t bytes_ = 0;
  std::vector<Segment> segments_;
  std::vector<Function> functions_;  // by address
  std::string names_;
};

// Returns the name of a C++ function as its source has it, and any other as it is. What is no
// printable ASCII is a question mark, and a very long name is cut.
[[nodiscard]] std::string readable_name(std::string_view symbol);

}  // namespace bufpool
