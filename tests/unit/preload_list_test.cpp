// SPDX-License-Identifier: MIT
#include "interpose/inheritance/preload_list.h"

#include <gtest/gtest.h>

#include <string>

namespace bufpool {
namespace {

constexpr std::string_view kPath = "/usr/lib/libbufpool.so.1";

std::string without(std::string list) {
  const auto same_file = [](std::string_view entry, std::string_view path) {
    return path == kPath && entry == "/opt/link.so";
  };
  list.resize(without_library(list.data(), kPath, same_file));
  return list;
}

TEST(PreloadList, LosesTheLibraryAlone) {
  EXPECT_EQ(without("/usr/lib/libbufpool.so.1"), "");
  EXPECT_EQ(without("/a.so:/usr/lib/libbufpool.so.1"), "/a.so");
  EXPECT_EQ(without("/usr/lib/libbufpool.so.1:/a.so"), "/a.so");
  EXPECT_EQ(without("/a.so:/usr/lib/libbufpool.so.1:b.so"), "/a.so:b.so");
  EXPECT_EQ(without("/a.so /usr/lib/libbufpool.so.1 b.so"), "/a.so b.so");
  EXPECT_EQ(without("/usr/lib/libbufpool.so.1:/usr/lib/libbufpool.so.1"), "");
}

TEST(PreloadList, KnowsTheLibraryByOtherNames) {
  EXPECT_EQ(without("libbufpool.so.1:libc.so"), "libc.so");
  EXPECT_EQ(without("/usr/$LIB/libbufpool.so.1:/usr/$LIB/a.so"), "/usr/$LIB/a.so");
  EXPECT_EQ(without("/opt/link.so:/a.so"), "/a.so");
}

TEST(PreloadList, KeepsOthersThatHaveItsName) {
  EXPECT_EQ(without("/home/libbufpool.so.1"), "/home/libbufpool.so.1");
  EXPECT_EQ(without("libbufpool.so"), "libbufpool.so");
  EXPECT_EQ(without(""), "");
  EXPECT_EQ(without(" : "), "");
  EXPECT_EQ(without("a.so::b.so: "), "a.so::b.so");
}

}  // namespace
}  // namespace bufpool
