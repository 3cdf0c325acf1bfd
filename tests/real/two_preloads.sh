#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: programs work when another allocator is preloaded too, in front of us or behind us, and
# when the same allocator serves what we pass on.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need "$python" sort ldconfig

PATH=$PATH:/sbin:/usr/sbin
work=("$python" "$here/python_work.py" "$(scaled 3 12)")
seq 300000 | tac >"$tmp/lines"
tried=0

# pair PRELOADS: runs programs under these libraries.
pair() {
  quietly "$tmp/python" "${with_us[@]}" "LD_PRELOAD=$1" "${work[@]}"
  same "$tmp/python.without" "$tmp/python" "$label: python"
  quietly "$tmp/sort" "${with_us[@]}" "LD_PRELOAD=$1" sort -n -S 8M --parallel=2 "$tmp/lines"
  same "$tmp/sort.without" "$tmp/sort" "$label: sort"
}

quietly "$tmp/python.without" "${work[@]}"
quietly "$tmp/sort.without" sort -n -S 8M --parallel=2 "$tmp/lines"
for other in libjemalloc.so.2 libmimalloc.so.2 libtcmalloc.so.4 libtcmalloc_minimal.so.4; do
  path=$(ldconfig -p | sed -n "s/^[[:space:]]*$other (.*x86-64.*=> //p" | head -n 1)
  if [ -z "$path" ]; then
    say "without $other, which is not installed"
    continue
  fi
  tried=$((tried + 1))
  label="$other behind us"
  pair "$library:$path"
  mapfile -t files < <(all_reports)
  check_report used "${files[@]}"
  rm -f "$tmp/reports/"*
  label="$other in front of us"
  pair "$path:$library"
  rm -f "$tmp/reports/"*
done
[ "$tried" -gt 0 ] || skip "no other allocator is installed"
say "ok: $tried allocators"
