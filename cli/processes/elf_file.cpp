// SPDX-License-Identifier: MIT
#include "cli/processes/elf_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace bufpool {

ElfFile::ElfFile(const Descriptor& file) : file_(file) {
  struct stat now = {};
  if (fstat(file.number(), &now) == 0) size_ = static_cast<std::uint64_t>(now.st_size);
  is_good_ =
      read(0, &header_, sizeof header_) && std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0;
  if (is_good_) segments_ = records<ElfW(Phdr)>(header_.e_phoff, header_.e_phnum);
}

bool ElfFile::is_ours() const {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
#if defined(__x86_64__)
  constexpr unsigned kMachine = EM_X86_64;
#else
  const unsigned kMachine = header_.e_machine;
#endif
  return is_good_ && header_.e_ident[EI_CLASS] == kClass && header_.e_machine == kMachine &&
         (header_.e_type == ET_EXEC || header_.e_type == ET_DYN);
}

std::string ElfFile::interpreter() const {
  const ElfW(Phdr)* const segment = find(PT_INTERP);
  if (segment == nullptr) return {};
  const std::string text =
      text_at(segment->p_offset, std::min<std::uint64_t>(segment->p_filesz, 4096));
  return text.substr(0, text.find('\0'));
}

std::vector<ElfW(Dyn)> ElfFile::dynamic_entries() const {
  const ElfW(Phdr)* const segment = find(PT_DYNAMIC);
  if (segment == nullptr) return {};
  auto entries = records<ElfW(Dyn)>(segment->p_offset, segment->p_filesz / sizeof(ElfW(Dyn)));
  const auto end = std::find_if(entries.begin(), entries.end(),
                                [](const auto& entry) { return entry.d_tag == DT_NULL; });
  entries.erase(end, entries.end());
  return entries;
}

std::vector<ElfW(Shdr)> ElfFile::sections() const {
  if (header_.e_shentsize != sizeof(ElfW(Shdr))) return {};
  return records<ElfW(Shdr)>(header_.e_shoff, header_.e_shnum);
}

std::uint64_t ElfFile::offset_of(std::uint64_t address) const {
  for (const ElfW(Phdr) & segment : segments_) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    if (address - segment.p_vaddr < segment.p_filesz) {
      return address - segment.p_vaddr + segment.p_offset;
    }
  }
  return 0;
}

std::string ElfFile::text_at(std::uint64_t at, std::uint64_t length) const {
  const std::vector<char> all = records<char>(at, length);
  return {all.begin(), all.end()};
}

bool ElfFile::read(std::uint64_t at, void* bytes, std::size_t count) const {
  return pread(file_.number(), bytes, count, static_cast<off_t>(at)) == static_cast<ssize_t>(count);
}

const ElfW(Phdr) * ElfFile::find(unsigned type) const {
  const auto found = std::find_if(segments_.begin(), segments_.end(),
                                  [&](const auto& one) { return one.p_type == type; });
  return found == segments_.end() ? nullptr : &*found;
}

}  // namespace bufpool
