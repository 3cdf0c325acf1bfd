// SPDX-License-Identifier: MIT
// Reads the files of programs and libraries, whose numbers may be anything.
#pragma once

#include <elf.h>
#include <link.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "report/descriptor.h"

namespace bufpool {

// A program's file. What does not lie in it reads as nothing.
class ElfFile {
 public:
  // Reads the front of the file, which stays open as long as this is used.
  explicit ElfFile(const Descriptor& file);

  // Whether it is a program or library for this machine.
  [[nodiscard]] bool is_ours() const;

  // Returns the loader that it names.
  [[nodiscard]] std::string interpreter() const;
  // Returns the table for the loader, up to its end.
  [[nodiscard]] std::vector<ElfW(Dyn)> dynamic_entries() const;
  // Returns the table of sections.
  [[nodiscard]] std::vector<ElfW(Shdr)> sections() const;

  // The segments that it is loaded by, and others.
  [[nodiscard]] const std::vector<ElfW(Phdr)>& segments() const noexcept { return segments_; }
  // Returns where in the file an address of the program is; 0: nowhere.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t address) const;

  // Returns so many records, or none if they do not lie in the file or are very many.
  template <typename Record>
  [[nodiscard]] std::vector<Record> records(std::uint64_t at, std::uint64_t count) const {
    constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;
    if (at > size_ || count > kMostBytes / sizeof(Record) || count * sizeof(Record) > size_ - at) {
      return {};
    }
    std::vector<Record> all(count);
    return read(at, all.data(), count * sizeof(Record)) ? all : std::vector<Record>();
  }
  // Returns so many bytes as text.
  [[nodiscard]] std::string text_at(std::uint64_t at, std::uint64_t length) const;

 private:
  [[nodiscard]] bool read(std::uint64_t at, void* bytes, std::size_t count) const;
  [[nodiscard]] const ElfW(Phdr) * find(unsigned type) const;

  const Descriptor& file_;
  std::uint64_t size_ = 0;
  bool is_good_ = false;
  ElfW(Ehdr) header_{};
  std::vector<ElfW(Phdr)> segments_;
};

}  // namespace bufpool
