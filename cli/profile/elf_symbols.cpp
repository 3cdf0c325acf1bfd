// SPDX-License-Identifier: MIT
#include "cli/profile/elf_symbols.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "cli/processes/elf_file.h"
#include "cli/processes/process_info.h"

namespace bufpool {
namespace {

bool is_function(const ElfW(Sym) & symbol) {
  const unsigned type = symbol.st_info & 0xf;
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
         (type == STT_FUNC || type == STT_GNU_IFUNC);
}

const ElfW(Shdr) * section_of(const std::vector<ElfW(Shdr)>& sections, unsigned type) {
  const auto found = std::find_if(sections.begin(), sections.end(), [type](const auto& one) {
    return one.sh_type == type && one.sh_size != 0;
  });
  return found == sections.end() ? nullptr : &*found;
}

}  // namespace

ElfSymbols::ElfSymbols(const Descriptor& file, std::uint64_t most_bytes) {
  const ElfFile elf(file);
  if (!elf.is_ours()) return;
  for (const ElfW(Phdr) & segment : elf.segments()) {
    if (segment.p_type != PT_LOAD) continue;
    segments_.push_back({segment.p_offset, segment.p_filesz, segment.p_vaddr});
  }
  const std::vector<ElfW(Shdr)> sections = elf.sections();
  const ElfW(Shdr)* table = section_of(sections, SHT_SYMTAB);
  if (table == nullptr) table = section_of(sections, SHT_DYNSYM);
  if (table == nullptr || table->sh_link >= sections.size()) return;
  const ElfW(Shdr)& names = sections[table->sh_link];
  if (table->sh_size > most_bytes || names.sh_size > most_bytes - table->sh_size) return;
  names_ = elf.text_at(names.sh_offset, names.sh_size);
  const auto symbols = elf.records<ElfW(Sym)>(table->sh_offset, table->sh_size / sizeof(ElfW(Sym)));
  bytes_ = names_.size() + symbols.size() * sizeof(ElfW(Sym));
  for (const ElfW(Sym) & symbol : symbols) {
    if (!is_function(symbol) || symbol.st_name >= names_.size()) continue;
    functions_.push_back({symbol.st_value, symbol.st_size, symbol.st_name});
  }
  std::stable_sort(functions_.begin(), functions_.end(),
                   [](const Function& a, const Function& b) { return a.address < b.address; });
}

std::string ElfSymbols::function_at(std::uint64_t file_offset) const {
  const auto segment = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& one) {
    return file_offset >= one.offset && file_offset - one.offset < one.bytes;
  });
  if (segment == segments_.end()) return {};
  const std::uint64_t address = file_offset - segment->offset + segment->address;
  auto next = std::upper_bound(
      functions_.begin(), functions_.end(), address,
      [](std::uint64_t value, const Function& function) { return value < function.address; });
  if (next == functions_.begin()) return {};
  const std::uint64_t begin = std::prev(next)->address;
  // Several names may begin there, of which the first one that reaches so far is taken.
  next = std::lower_bound(
      functions_.begin(), next, begin,
      [](const Function& function, std::uint64_t value) { return function.address < value; });
  for (; next != functions_.end() && next->address == begin; ++next) {
    if (next->bytes != 0 && address - begin >= next->bytes) continue;
    return readable_name(names_.c_str() + next->name);
  }
  return {};
}

namespace {

// Returns whether a name may be demangled. A name can name its own parts again, and so can each of
// these: 240 bytes made for that become 100 MB. One of few bytes, or one that names few parts
// again, stays small.
bool stays_small(std::string_view symbol) {
  constexpr std::size_t kFewBytes = 160;
  constexpr std::ptrdiff_t kFewAgain = 20;
  constexpr std::size_t kMostMangled = 4096;
  if (symbol.size() > kMostMangled) return false;
  const auto again = std::count_if(symbol.begin(), symbol.end(),
                                   [](char letter) { return letter == 'S' || letter == 'T'; });
  return symbol.size() <= kFewBytes || again <= kFewAgain;
}

}  // namespace

std::string readable_name(std::string_view symbol) {
  constexpr std::size_t kMostShown = 400;
  std::string name(symbol);
  if (symbol.starts_with("_Z") && stays_small(symbol)) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> plain(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
    if (plain != nullptr) name = plain.get();
  }
  name = printable(name);
  if (name.size() > kMostShown) name.replace(kMostShown, std::string::npos, "...");
  return name;
}

}  // namespace bufpool
