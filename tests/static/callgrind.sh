#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: if caches are guarded by locks, a pair of malloc and free stays cheap, and costs the same
# for every pooled size. valgrind counts the instructions of many pairs and of few, so that the rest
# of the process cancels out. 64 bytes are passed on to mimalloc. Its share counts too, and so does
# the loop around the pair.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need valgrind
need_golden_build

sizes=(64 4096 65536 1048576)
few=2000
many=12000
tolerance=2

mimalloc=$(library_path libmimalloc.so)
[ -n "$mimalloc" ] || skip "counted with a shared mimalloc only"
ask='import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).mi_version())'
version=$("$python" -c "$ask" "$mimalloc")
[ "$version" = 209 ] || skip "counted with mimalloc 2.0.9 only; this is $version"

# instructions SIZE PAIRS: prints the instructions of a whole process.
instructions() {
  env "LD_PRELOAD=$library" BUFPOOL_MODE=locked BUFPOOL_REPORT=off \
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$tmp/pairs" "$1" "$2" 2>"$tmp/err" \
    || { cat "$tmp/err" >&2 && return 1; }
  sed -n 's/^==[0-9]*== Collected : \([0-9]*\)$/\1/p' "$tmp/err"
}

g++ -std=c++20 -O1 -fno-builtin "$here/pairs.cpp" -o "$tmp/pairs"
printf '%9s %s\n' bytes instructions >"$tmp/table"
for size in "${sizes[@]}"; do
  below=$(instructions "$size" "$few")
  above=$(instructions "$size" "$many")
  printf '%9d %12d\n' "$size" $(((above - below + (many - few) / 2) / (many - few)))
done >>"$tmp/table"

# A figure within the tolerance is taken for the golden's own.
if ! updating && [ -f "$golden/callgrind.txt" ]; then
  awk -v tolerance="$tolerance" '
    FNR == NR { wanted[$1] = $2; line[$1] = $0; next }
    $1 in wanted && FNR > 1 && $2 - wanted[$1] <= tolerance && wanted[$1] - $2 <= tolerance {
      print line[$1]
      next
    }
    { print }' "$golden/callgrind.txt" "$tmp/table" >"$tmp/settled"
  mv "$tmp/settled" "$tmp/table"
fi
same_as_golden callgrind.txt "$tmp/table"
finish
