#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: programs run with us under valgrind, which knows no restartable sequences. The pool then
# guards its caches by locks, and says so.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need valgrind "$python"

mkdir "$tmp/tree"
touch "$tmp/tree/"{a,b,c}{1..40}
list=(/bin/ls "$tmp/tree")
buffers=("$python" -S -c 'import hashlib
sizes = [700, 5000, 20000, 70000, 300000, 1 << 20, 5000000]
held = [bytearray(size + round) for round in range(15) for size in sizes]
print(hashlib.sha256(b"".join(held)).hexdigest())')

# under LABEL TOOL-OPTIONS -- COMMAND...: the command prints the same, and nothing crashes.
under() {
  local label=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  "$@" >"$tmp/without"
  "${with_us[@]}" valgrind -q "${options[@]}" "$@" >"$tmp/with" 2>"$tmp/err" </dev/null \
    || fail_with "$tmp/err" "$label: $1 failed under valgrind"
  same "$tmp/without" "$tmp/with" "$label: $1"
  ! grep -E 'Process terminating|Jump to the invalid|unhandled instruction' "$tmp/err" \
    || fail_with "$tmp/err" "$label: valgrind reported the lines above"
}

# locked LABEL: the pool served the program, and in locked mode.
locked() {
  local files
  mapfile -t files < <(all_reports)
  [ "${#files[@]}" -gt 0 ] || [ "$reports_expected" = 0 ] || fail "$1: no report"
  check_report mode locked "${files[@]}"
  rm -f "${files[@]}"
}

for program in list buffers; do
  declare -n command=$program
  # This is the simulated processor alone: our allocator does all the work.
  under 'no tool' --tool=none -- "${command[@]}"
  locked 'no tool'
  # memcheck runs with our allocator in place, and with its own put over ours.
  under 'memcheck beside us' --soname-synonyms=somalloc=nouserintercepts --leak-check=no \
    -- "${command[@]}"
  locked memcheck
  under 'memcheck over us' --leak-check=no -- "${command[@]}"
  rm -f "$tmp/reports/"*
done
say "ok"
