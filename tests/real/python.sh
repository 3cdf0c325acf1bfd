#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: a python program with growing buffers, compression, threads, forked and spawned children
# computes the same with us as without us, with python's own small-object allocator and without.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need "$python"

work=("$python" "$here/python_work.py" "$(scaled 6 60)")

# run NAME PREFIX...
run() {
  local label=$1
  shift
  "$@" "${work[@]}" >"$tmp/$label" 2>"$tmp/$label.err" </dev/null \
    || fail_with "$tmp/$label.err" "python $label the library failed"
  [ ! -s "$tmp/$label.err" ] || fail_with "$tmp/$label.err" "$label: something on stderr"
}

run without env
run with "${with_us[@]}"
same "$tmp/without" "$tmp/with" "python_work.py"
run with-malloc "${with_us[@]}" PYTHONMALLOC=malloc
same "$tmp/without" "$tmp/with-malloc" "python_work.py, PYTHONMALLOC=malloc"
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok"
