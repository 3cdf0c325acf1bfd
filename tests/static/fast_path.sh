#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: a hit is a few instructions without a call, a lock or a division, the same few for
# every size; and what is passed on meets few of ours before mimalloc's. The table,
# tests/golden/fast_path.txt, counts what is executed inside the library:
#   branches  conditional jumps     taken  jumps of any kind that went elsewhere
#   lock      locked instructions   call   calls; a jump into another function is none
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need objdump
need_golden_build

# 64 bytes are passed on; the others are hits.
sizes=(64 600 4096 65536 1048576 16777216)

# with_us COMMAND...: runs the command under the library.
with_us() { env "LD_PRELOAD=$library" BUFPOOL_REPORT=off "$@"; }

grep -q 'mode rseq' <<<"$(with_us BUFPOOL_VERBOSE=1 true 2>&1)" \
  || skip "there are no restartable sequences here, and so no hits on their path"

g++ -std=c++20 -O1 -fno-builtin -Wl,-z,now "$here/fast_path_probe.cpp" -o "$tmp/probe"
traces=()
for size in "${sizes[@]}"; do
  status=0
  with_us "$tmp/probe" "$size" >"$tmp/$size" || status=$?
  [ "$status" != 77 ] || skip "the kernel does not let a program step through itself"
  [ "$status" = 0 ] || fault "the probe ended with $status for $size bytes"
  traces+=("$size=$tmp/$size")
done

"$python" "$here/fast_path.py" "$library" "${traces[@]}" >"$tmp/table" \
  || fault "see above; the table: $(printf '\n' && cat "$tmp/table")"
same_as_golden fast_path.txt "$tmp/table"

# Whatever the counts are, they are the same for every size.
flat=$(awk '$2 >= 512 { $2 = ""; print }' "$tmp/table" | sort -u | awk '{ print $1 }' | uniq -d)
[ -z "$flat" ] || fault "does not cost the same for every size: $flat"
finish
