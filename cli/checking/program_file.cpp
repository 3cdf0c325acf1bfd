// SPDX-License-Identifier: MIT
#include "cli/checking/program_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "cli/formatted.h"
#include "cli/processes/proc_files.h"
#include "report/descriptor.h"

namespace bufpool {
namespace {

constexpr std::size_t kMostRecords = 1 << 20;
constexpr std::size_t kMostText = 1 << 24;

// A program's file, whose numbers may be anything. Reads that do not fit into it fail.
class ElfFile {
 public:
  explicit ElfFile(const Descriptor& file) : file_(file) {
    struct stat now = {};
    if (fstat(file.number(), &now) == 0) size_ = static_cast<std::uint64_t>(now.st_size);
    is_good_ = read(0, header_) && std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0;
    if (is_good_) segments_ = records<ElfW(Phdr)>(header_.e_phoff, header_.e_phnum);
  }

  // Whether it is a program or library for this machine.
  [[nodiscard]] bool is_ours() const {
    constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
#if defined(__x86_64__)
    constexpr unsigned kMachine = EM_X86_64;
#else
    const unsigned kMachine = header_.e_machine;
#endif
    return is_good_ && header_.e_ident[EI_CLASS] == kClass && header_.e_machine == kMachine &&
           (header_.e_type == ET_EXEC || header_.e_type == ET_DYN);
  }

  [[nodiscard]] std::string interpreter() const {
    const ElfW(Phdr)* const segment = find(PT_INTERP);
    if (segment == nullptr) return {};
    const std::string text =
        text_at(segment->p_offset, std::min<std::size_t>(segment->p_filesz, 4096));
    return text.substr(0, text.find('\0'));
  }

  // The names of libraries, and whether `malloc` is defined.
  void read_dynamic(ProgramFile& program) const {
    const ElfW(Phdr)* const segment = find(PT_DYNAMIC);
    if (segment == nullptr) return;
    const auto entries =
        records<ElfW(Dyn)>(segment->p_offset, segment->p_filesz / sizeof(ElfW(Dyn)));
    const std::uint64_t strings = offset_of(value(entries, DT_STRTAB));
    const std::string names =
        text_at(strings, std::min<std::size_t>(value(entries, DT_STRSZ), kMostText));
    for (const ElfW(Dyn) & entry : entries) {
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag != DT_NEEDED || entry.d_un.d_val >= names.size()) continue;
      program.libraries.emplace_back(names.c_str() + entry.d_un.d_val);
    }
    // The table of names follows that of symbols in what linkers make.
    const std::uint64_t symbols = offset_of(value(entries, DT_SYMTAB));
    if (symbols == 0 || strings <= symbols) return;
    for (const ElfW(Sym) & symbol :
         records<ElfW(Sym)>(symbols, (strings - symbols) / sizeof(ElfW(Sym)))) {
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.size()) continue;
      if (std::strcmp(names.c_str() + symbol.st_name, "malloc") == 0) program.defines_malloc = true;
    }
  }

 private:
  template <typename Record>
  [[nodiscard]] bool read(std::uint64_t at, Record& record) const {
    return pread(file_.number(), &record, sizeof record, static_cast<off_t>(at)) == sizeof record;
  }

  template <typename Record>
  [[nodiscard]] std::vector<Record> records(std::uint64_t at, std::size_t count) const {
    if (at > size_ || count > kMostRecords || count * sizeof(Record) > size_ - at) return {};
    std::vector<Record> all(count);
    const auto bytes = static_cast<ssize_t>(count * sizeof(Record));
    if (pread(file_.number(), all.data(), count * sizeof(Record), static_cast<off_t>(at)) !=
        bytes) {
      return {};
    }
    return all;
  }

  [[nodiscard]] std::string text_at(std::uint64_t at, std::size_t length) const {
    const std::vector<char> all = records<char>(at, length);
    return {all.begin(), all.end()};
  }

  [[nodiscard]] const ElfW(Phdr) * find(unsigned type) const {
    const auto found = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const auto& one) { return one.p_type == type; });
    return found == segments_.end() ? nullptr : &*found;
  }

  [[nodiscard]] static std::uint64_t value(const std::vector<ElfW(Dyn)>& entries,
                                           decltype(ElfW(Dyn)::d_tag) tag) {
    for (const ElfW(Dyn) & entry : entries) {
      if (entry.d_tag == tag) return entry.d_un.d_val;
    }
    return 0;
  }

  // Where in the file an address of the program is; 0: nowhere.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t address) const {
    for (const ElfW(Phdr) & segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      if (address - segment.p_vaddr < segment.p_filesz) {
        return address - segment.p_vaddr + segment.p_offset;
      }
    }
    return 0;
  }

  const Descriptor& file_;
  std::uint64_t size_ = 0;
  bool is_good_ = false;
  ElfW(Ehdr) header_{};
  std::vector<ElfW(Phdr)> segments_;
};

bool gains_rights(const Descriptor& file) {
  struct stat now = {};
  if (fstat(file.number(), &now) != 0) return false;
  const bool is_set_group = (now.st_mode & S_ISGID) != 0 && (now.st_mode & S_IXGRP) != 0;
  return (now.st_mode & S_ISUID) != 0 || is_set_group ||
         fgetxattr(file.number(), "security.capability", nullptr, 0) > 0;
}

// The first line of a script, without "#!".
void read_script(std::string_view line, ProgramFile& program) {
  const std::size_t first = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(first);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  program.kind = ProgramFile::Kind::kScript;
  program.interpreter = line.substr(0, end);
  line.remove_prefix(end);
  const std::size_t argument = std::min(line.find_first_not_of(" \t"), line.size());
  program.interpreter_argument = line.substr(argument);
}

}  // namespace

ProgramFile program_file(const std::string& path) {
  ProgramFile program;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.is_open()) return program;
  program.kind = ProgramFile::Kind::kOther;
  program.gains_rights = gains_rights(file);
  char start[256];
  const ssize_t got = pread(file.number(), start, sizeof start, 0);
  std::string_view text(start, got > 0 ? static_cast<std::size_t>(got) : 0);
  if (text.starts_with("#!")) {
    text.remove_prefix(2);
    read_script(take_line(text), program);
    return program;
  }
  const ElfFile elf(file);
  if (!elf.is_ours()) return program;
  program.interpreter = elf.interpreter();
  elf.read_dynamic(program);
  program.kind =
      program.interpreter.empty() ? ProgramFile::Kind::kStatic : ProgramFile::Kind::kDynamic;
  return program;
}

std::string path_of_command(const std::string& command) {
  if (command.find('/') != std::string::npos) {
    return access(command.c_str(), F_OK) == 0 ? command : std::string();
  }
  const char* const folders = std::getenv("PATH");
  for (const std::string_view folder : split(folders == nullptr ? "/usr/bin:/bin" : folders, ':')) {
    std::string path = formatted("{}/{}", folder, command);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

}  // namespace bufpool
