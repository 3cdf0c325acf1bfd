// SPDX-License-Identifier: MIT
#include "cli/profile/address_names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace bufpool {

// A function of this program.
int named_here(int number) { return number * 5; }

namespace {

const CodePlace& own_place(AddressNames& names) {
  names.use(getpid(), AddressNames::code_lines(getpid()));
  return names.place_of(reinterpret_cast<std::uintptr_t>(&named_here) + 1);
}

TEST(AddressNames, NamesAFunctionOfAProcess) {
  AddressNames names;
  EXPECT_EQ(own_place(names).name(), "bufpool::named_here(int)");
}

TEST(AddressNames, ReadsNoMoreSymbolsThanItMay) {
  AddressNames names(1000);
  const CodePlace& place = own_place(names);
  EXPECT_EQ(place.function, "");
  EXPECT_EQ(place.name().substr(0, place.name().find('+')), "cli_address_names_test");
}

TEST(AddressNames, SymbolsOfAllFilesCountTogether) {
  const std::string lines = AddressNames::code_lines(getpid());
  std::uint64_t least = 0;  // that name the program
  for (std::uint64_t step = AddressNames::kMostSymbolBytes; step != 0; step /= 2) {
    AddressNames names(least + step);
    if (own_place(names).function.empty()) least += step;
  }
  AddressNames names(++least);
  names.use(getpid(), lines);
  const auto libc = reinterpret_cast<std::uintptr_t>(&getpid) + 1;
  EXPECT_NE(own_place(names).function, "");
  EXPECT_EQ(names.place_of(libc).function, "") << "nothing is left for another file";
  AddressNames all;
  all.use(getpid(), lines);
  EXPECT_NE(all.place_of(libc).function, "");
}

// The end of a mapping may be the start of another one, and a call is the byte before the address.
TEST(AddressNames, FindsTheMappingOfAnAddress) {
  AddressNames names;
  names.use(getpid(),
            "5000-6000 r-xp 00000000 00:00 0 [c]\n"
            "1000-2000 r-xp 00000000 00:00 0 [a]\n"
            "2000-3000 r-xp 00000500 00:00 0 [b]\n");
  EXPECT_EQ(names.place_of(0x1000).module, "");
  EXPECT_EQ(names.place_of(0x1001).name(), "[a]+0x0");
  EXPECT_EQ(names.place_of(0x2000).name(), "[a]+0xfff");
  EXPECT_EQ(names.place_of(0x2001).name(), "[b]+0x500");
  EXPECT_EQ(names.place_of(0x3000).module, "[b]");
  EXPECT_EQ(names.place_of(0x3001).module, "") << "between two";
  EXPECT_EQ(names.place_of(0x5800).module, "[c]");
  EXPECT_EQ(names.place_of(0x6001).module, "") << "behind all";
  EXPECT_EQ(names.place_of(0).module, "");
}

}  // namespace
}  // namespace bufpool
