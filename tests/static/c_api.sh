#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: include/bufpool/bufpool.h is C99 and C++11, and declares what the library exports. A
# program that was compiled with it runs with and without the library, and so does the example of
# the page. docs/c-api.md names each function.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need gcc g++ nm

header=$source/include/bufpool/bufpool.h
include=-I$source/include
strict=(-Wall -Wextra -Wshadow -Wconversion -pedantic -Werror "$include")

# runs PROGRAM WITHOUT WITH: checks what it prints without the library, and with it.
runs() {
  local found
  found=$("$1") || fault "$1 fails without the library"
  grep -qE -- "$2" <<<"$found" || fault "$1 without the library: $found"
  found=$(LD_PRELOAD=$library BUFPOOL_REPORT=off "$1") || fault "$1 fails with the library"
  grep -qE -- "$3" <<<"$found" || fault "$1 with the library: $found"
}

check_c() {
  local flags
  for flags in -fPIE '-fPIE -O2' '-fPIC -O3'; do
    # shellcheck disable=SC2086  # these are words
    gcc -std=c99 "${strict[@]}" $flags -pie "$source/tests/static/c_api_c99.c" -o "$tmp/c99" \
      || fault "the header is no C99 with $flags"
    runs "$tmp/c99" '^none$' '^version [0-9.]+ mode [12] classes 85$'
  done
  # The names cannot be had then, and the program runs all the same.
  gcc -std=c99 "${strict[@]}" -fno-pie -no-pie "$source/tests/static/c_api_c99.c" -o "$tmp/fixed"
  runs "$tmp/fixed" '^none$' '^none$'
}

check_cxx() {
  local compiler
  for compiler in g++ clang++; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -std=c++11 "${strict[@]}" -fsyntax-only -x c++ - <<<'#include <bufpool/bufpool.h>' \
      || fault "the header is no C++11 for $compiler"
  done
  g++ -std=c++17 -O2 "${strict[@]}" "$source/docs/examples/raii_buffer.cpp" -o "$tmp/example" \
    || fault "the example does not compile"
  runs "$tmp/example" '^4096 bytes from malloc: correct' '^4096 bytes from [0-9.]+: correct'
}

# The header, the library and the page know the same functions.
check_names() {
  local name
  grep -oE '\bbufpool_[a-z_]+\(' "$header" | tr -d '(' | LC_ALL=C sort -u >"$tmp/declared"
  nm -D --defined-only "$library" | awk '$NF ~ /^bufpool_/ { print $NF }' | LC_ALL=C sort -u \
    >"$tmp/exported"
  same "$tmp/declared" "$tmp/exported" "the functions of the header"
  while read -r name; do
    grep -qF "\`$name" "$source/docs/c-api.md" || fault "docs/c-api.md does not name $name"
  done <"$tmp/declared"
}

# Each counter has its member, in the list of classes and in that of the process.
check_members() {
  local kind name part
  sed -nE 's/^BUFPOOL_(CLASS|PROCESS)_COUNTER\((\w+),.*/\1 \2/p' \
    "$source/pool/telemetry/counters.def" >"$tmp/counters"
  [ "$(wc -l <"$tmp/counters")" -ge 30 ] || fault "few counters: $(cat "$tmp/counters")"
  while read -r kind name; do
    part=bufpool_snapshot
    [ "$kind" = PROCESS ] || part=bufpool_class_snapshot
    sed -n "/^struct $part {/,/^}/p" "$header" | grep "uint64_t $name;" >/dev/null \
      || fault "struct $part has no $name"
  done <"$tmp/counters"
}

check_c
check_cxx
check_names
check_members
finish
