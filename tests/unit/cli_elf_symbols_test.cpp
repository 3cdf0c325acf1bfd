// SPDX-License-Identifier: MIT
#include "cli/profile/elf_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace bufpool {

// A function of this program.
int named_by_cpp(int number) { return number * 3; }

namespace {

std::string own_bytes() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Descriptor file_of(const std::string& bytes) {
  Descriptor file(memfd_create("elf", MFD_CLOEXEC));
  EXPECT_EQ(write(file.number(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return file;
}

// Returns where in the file a function is, by the file's own table of segments.
std::uint64_t offset_of(const std::string& bytes, const void* function, const void* start) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::uint64_t address =
      reinterpret_cast<std::uintptr_t>(function) - reinterpret_cast<std::uintptr_t>(start);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return address - segment.p_vaddr + segment.p_offset;
    }
  }
  return 0;
}

extern "C" const char __ehdr_start;  // NOLINT(bugprone-reserved-identifier): the linker's name

std::uint64_t own_offset(const std::string& bytes) {
  return offset_of(bytes, reinterpret_cast<const void*>(&named_by_cpp), &__ehdr_start);
}

TEST(ElfSymbols, NamesAFunctionByAnyOfItsBytes) {
  const std::string bytes = own_bytes();
  const std::uint64_t offset = own_offset(bytes);
  ASSERT_NE(offset, 0U);
  const ElfSymbols symbols(file_of(bytes));
  EXPECT_EQ(symbols.function_at(offset), "bufpool::named_by_cpp(int)");
  EXPECT_EQ(symbols.function_at(offset + 1), "bufpool::named_by_cpp(int)");
  EXPECT_NE(symbols.function_at(offset - 1), "bufpool::named_by_cpp(int)");
  EXPECT_EQ(symbols.function_at(bytes.size()), "");
  EXPECT_EQ(symbols.function_at(~std::uint64_t{0}), "");
}

TEST(ElfSymbols, KnowsNothingOfWhatIsNoProgram) {
  EXPECT_EQ(ElfSymbols().function_at(0), "");
  EXPECT_EQ(ElfSymbols(file_of("")).function_at(0), "");
  EXPECT_EQ(ElfSymbols(file_of("\x7f\x45LF")).function_at(0), "");
  EXPECT_EQ(ElfSymbols(Descriptor()).function_at(0), "");
}

// Writes what may be there into one of the tables, or cuts the file.
void damage(std::string& bytes, const Elf64_Ehdr& header, std::mt19937_64& chance) {
  const std::size_t starts[] = {16, header.e_phoff, header.e_shoff, header.e_shoff};
  const std::size_t lengths[] = {48, header.e_phnum * sizeof(Elf64_Phdr),
                                 header.e_shnum * sizeof(Elf64_Shdr), bytes.size()};
  const std::uint64_t values[] = {0, 1, ~std::uint64_t{0}, chance(), bytes.size(), 1U << 20};
  const std::size_t which = chance() % std::size(starts);
  const std::size_t at = (which == 3 ? 0 : starts[which]) + chance() % lengths[which];
  if (chance() % 16 == 0) {
    bytes.resize(at);
  } else if (at + sizeof *values <= bytes.size()) {
    std::memcpy(bytes.data() + at, &values[chance() % std::size(values)], sizeof *values);
  }
}

TEST(ElfSymbols, ReadsAnyDamagedFile) {
  const std::string bytes = own_bytes();
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::mt19937_64 chance(1);  // NOLINT(cert-msc51-cpp): the same each time
  constexpr int kRounds = 200;
  for (int i = 0; i < kRounds; ++i) {
    std::string damaged = bytes;
    for (int k = 0; k < 4; ++k) damage(damaged, header, chance);
    const ElfSymbols symbols(file_of(damaged));
    for (int k = 0; k < 64; ++k) static_cast<void>(symbols.function_at(chance() % bytes.size()));
  }
}

TEST(ElfSymbols, NamesAreReadable) {
  EXPECT_EQ(readable_name("main"), "main");
  EXPECT_EQ(readable_name("_Z"), "_Z");
  EXPECT_EQ(readable_name("_ZN1a1bEv"), "a::b()");
  EXPECT_EQ(readable_name("a\x1b[31m\xff"), "a?[31m?");
  EXPECT_LT(readable_name(std::string(100'000, 'x')).size(), 1000U);
  EXPECT_LT(readable_name("_Z" + std::string(100'000, 'N')).size(), 1000U);
}

// Each part names the one before it several times, so that the text doubles with each.
TEST(ReadableName, OfANameThatWouldGrowWithoutEndIsAsItStands) {
  std::string name = "_Z1f1AS_IS_S_E";
  for (int i = 0; i < 40; ++i) {
    name += "S" + (i < 10 ? std::to_string(i) : std::string(1, static_cast<char>('A' + i % 26)));
    name += "_IS_S_E";
  }
  EXPECT_EQ(readable_name(name).substr(0, 5), "_Z1f1");
}

}  // namespace
}  // namespace bufpool
