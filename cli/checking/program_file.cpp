// SPDX-License-Identifier: MIT
#include "cli/checking/program_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "cli/formatted.h"
#include "cli/processes/elf_file.h"
#include "cli/processes/proc_files.h"
#include "report/descriptor.h"

namespace bufpool {
namespace {

std::uint64_t value_of(const std::vector<ElfW(Dyn)>& entries, decltype(ElfW(Dyn)::d_tag) tag) {
  for (const ElfW(Dyn) & entry : entries) {
    if (entry.d_tag == tag) return entry.d_un.d_val;
  }
  return 0;
}

// Reads the names of libraries, and whether `malloc` is defined.
void read_dynamic(const ElfFile& elf, ProgramFile& program) {
  constexpr std::uint64_t kMostText = 1 << 24;
  const std::vector<ElfW(Dyn)> entries = elf.dynamic_entries();
  const std::uint64_t strings = elf.offset_of(value_of(entries, DT_STRTAB));
  const std::string names =
      elf.text_at(strings, std::min<std::uint64_t>(value_of(entries, DT_STRSZ), kMostText));
  for (const ElfW(Dyn) & entry : entries) {
    if (entry.d_tag != DT_NEEDED || entry.d_un.d_val >= names.size()) continue;
    program.libraries.emplace_back(names.c_str() + entry.d_un.d_val);
  }
  // The table of names follows that of symbols in what linkers make.
  const std::uint64_t symbols = elf.offset_of(value_of(entries, DT_SYMTAB));
  if (symbols == 0 || strings <= symbols) return;
  for (const ElfW(Sym) & symbol :
       elf.records<ElfW(Sym)>(symbols, (strings - symbols) / sizeof(ElfW(Sym)))) {
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.size()) continue;
    if (std::strcmp(names.c_str() + symbol.st_name, "malloc") == 0) program.defines_malloc = true;
  }
}

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
  read_dynamic(elf, program);
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
