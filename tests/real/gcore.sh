#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: gcore of a process with 50 MiB live ends soon, and its file holds what the process uses
# and not what it could use.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need gcore gdb "$python"

readonly most_mib=160

# The program says so once it holds all, and ends with its input.
mkfifo "$tmp/hold"
exec {hold}<>"$tmp/hold"
"${with_us[@]}" "$python" -S -c 'import sys
held = [b"x" * 50000 for i in range(1000)]
print("ready", flush=True)
sys.stdin.readline()' >"$tmp/out" 2>"$tmp/err" <"$tmp/hold" &
pid=$!
servers+=("$pid")
wait_until 20 grep -q ready "$tmp/out" || fail_with "$tmp/err" "python does not start"

# A core of terabytes does not fill the disk: it ends at the limit.
(
  ulimit -f $((4 << 20))
  timeout 60 gcore -o "$tmp/core" "$pid" >"$tmp/gcore" 2>&1
) || {
  ! grep -qi 'not permitted' "$tmp/gcore" || skip "no process may be traced here"
  fail_with "$tmp/gcore" "gcore does not write its file within a minute"
}
mib=$(($(stat -c %s "$tmp/core.$pid") >> 20))
[ "$mib" -ge 50 ] || fail "a core of $mib MiB does not hold what is live"
[ "$mib" -le "$most_mib" ] || fail "a core of $mib MiB of a process with 50 MiB live"
echo >&"$hold"
ended "$pid" 20 "$tmp/err"
say "ok: $mib MiB"
