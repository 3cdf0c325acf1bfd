#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: the compiler makes byte for byte the same objects with us as without us.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need g++

root=$(cd "$here/../.." && pwd)
flags=(-std=c++20 -O2 -g -fPIC -I "$root" -DSPDLOG_HEADER_ONLY -DFMT_HEADER_ONLY)
# Both compile in the same directory, because its name goes into the debugging information.
cd "$tmp"

# compile with|without SOURCE PREFIX...: compiles a source by the command behind the prefix.
compile() {
  local log=$tmp/g++.err
  "${@:3}" g++ "${flags[@]}" -c "$2" -o object.o 2>"$log" \
    || fail_with "$log" "g++ $1 the library does not compile $2"
  mv object.o "$1.o"
}

# largest prints the largest sources of the pool and of the report. In the latter fmt's templates
# need most memory.
largest() {
  find "$root/$1" -name '*.cpp' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-
}

for folder in pool report; do
  source=$(largest "$folder")
  [ -n "$source" ] || fail "there is no source in $folder/"
  compile without "$source" env
  compile with "$source" "${with_us[@]}"
  cmp without.o with.o || fail "$source: the objects differ"
  say "$folder/$(basename "$source"): $(stat -c %s with.o) bytes, equal"
done
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok"
