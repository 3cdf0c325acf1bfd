#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: each restartable sequence has its descriptor and its abort code, wherever the compiler
# puts it. It may be in functions of which several object files have a copy, or in functions that
# the linker discards. No descriptor is left that describes no sequence, and no abort code that none
# leads to.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need readelf g++
[ "$(uname -m)" = x86_64 ] || skip "the sequences are those of x86-64"

# counts FILE: reads its descriptors, signatures and sequences, and checks that they are as many.
counts() {
  local descriptors signatures starts
  "$python" "$here/rseq_descriptors.py" "$1" >"$tmp/counts" || fault "$1: see above"
  read -r descriptors signatures starts <"$tmp/counts"
  [ "$descriptors" = "$signatures" ] \
    || fault "$1 has $descriptors descriptors and $signatures signatures"
  [ "$descriptors" = "$starts" ] || fault "$1 describes $starts sequences $descriptors times"
  found=$descriptors
}

counts "$library"
[ "$found" -ge 4 ] || fault "$library has $found sequences"

# What two files share is there once. What nobody calls is not there.
for level in -O0 -O2; do
  for part in 1 2; do
    g++ -std=c++20 "$level" -fPIC -ffunction-sections -I"$source" -DPART=$part \
      -c "$here/rseq_two_files.cpp" -o "$tmp/$part.o" || fault "part $part is refused at $level"
  done
  for kind in -no-pie -pie; do
    g++ "$kind" -Wl,--gc-sections -Wl,--fatal-warnings "$tmp/1.o" "$tmp/2.o" -o "$tmp/both" \
      || { fault "two files with sequences do not link at $level" && continue; }
    counts "$tmp/both"
    [ "$found" = 4 ] || fault "$found sequences at $level $kind, of which 4 are used"
    status=0
    "$tmp/both" || status=$?
    [ "$status" = 0 ] || [ "$status" = 77 ] || fault "a sequence failed at $level $kind: $status"
  done
done
finish
