#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the tests that look at the library share; sourced, not run. A test is called as
#   tests/static/NAME.sh path/to/libbufpool.so top-of-the-source-tree
# and ends with 0 (good), 1 (not good) or 77 (skipped). UPDATE_GOLDEN=1 writes the test's file in
# tests/golden anew instead of comparing with it; what must hold whatever the file says is still
# checked.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$(basename "$0" .sh)
faults=0

# Not a version manager's shell script, under which another python would be preloaded as well.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

say() { printf '%s: %s\n' "$name" "$*" >&2; }

skip() {
  say "SKIP: $*"
  exit 77
}

# fault MESSAGE: goes on, to find the others too; `finish` ends.
fault() {
  say "FAIL: $*"
  faults=$((faults + 1))
}

finish() {
  [ "$faults" = 0 ] || exit 1
  say ok
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
}

# start "$@": takes the arguments, sets library, source, golden, tmp.
start() {
  [ $# = 2 ] || { echo "usage: $0 path/to/libbufpool.so top-of-the-source-tree" >&2; exit 2; }
  library=$(readlink -e "$1") || { echo "$0: there is no $1" >&2; exit 2; }
  source=$(readlink -e "$2") || { echo "$0: there is no $2" >&2; exit 2; }
  golden=$source/tests/golden
  unset LD_PRELOAD "${!BUFPOOL_@}"
  export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/bufpool-$name.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
}

updating() { [ "${UPDATE_GOLDEN:-0}" != 0 ]; }

# same WANTED FOUND WHAT: a fault with the lines that differ.
same() {
  diff -U 2 --label "wanted: $3" --label "found" "$1" "$2" >&2 || fault "$3 differs"
}

# same_as_golden NAME FOUND
same_as_golden() {
  if updating; then
    cp "$2" "$golden/$1"
    say "wrote tests/golden/$1"
  elif [ -f "$golden/$1" ]; then
    same "$golden/$1" "$2" "tests/golden/$1"
  else
    fault "there is no tests/golden/$1; UPDATE_GOLDEN=1 $0 makes it"
  fi
}

# Instructions are counted for what Debian 12 builds by default; others do it in a few more or less.
need_golden_build() {
  need readelf g++
  local other cache
  other=$(readelf -p .comment "$library" | grep -E '\] ' | grep -v 'GCC: (Debian 12\.2\.') || true
  [ -z "$other" ] || skip "counted for Debian's g++ 12.2 only; this is$other"
  grep -q '(Debian 12\.2\.' <<<"$(g++ --version)" || skip "g++ is not Debian's 12.2"
  cache=$(dirname "$library")/CMakeCache.txt
  [ -f "$cache" ] || return 0
  grep -q '^CMAKE_BUILD_TYPE:STRING=Release$' "$cache" || skip "counted for a Release build only"
  grep -q '^CMAKE_CXX_FLAGS:STRING=$' "$cache" || skip "counted without CMAKE_CXX_FLAGS"
}

# library_path NAME: where the loader finds what the library needs; empty: it needs no such thing.
library_path() { ldd "$library" | awk -v name="$1" 'index($1, name) == 1 { print $3 }'; }

# same_in_page PAGE MARK COMMAND...: between <!-- MARK --> and <!-- /MARK --> of a page of Markdown
# stands what the command prints. UPDATE_GOLDEN=1 puts it there.
same_in_page() {
  local page=$source/$1 mark=$2
  shift 2
  [ "$(grep -cxE "<!-- /?$mark -->" "$page")" = 2 ] || {
    fault "$page needs one <!-- $mark --> and one <!-- /$mark -->"
    return
  }
  "$@" >"$tmp/table"
  if updating; then
    sed -e "/^<!-- $mark -->\$/r $tmp/table" \
      -e "/^<!-- $mark -->\$/,/^<!-- \/$mark -->\$/{/^<!-- \/\{0,1\}$mark -->\$/!d}" \
      "$page" >"$tmp/page"
    cat "$tmp/page" >"$page"
    say "wrote the table into $page"
  fi
  sed -n "/^<!-- $mark -->\$/,/^<!-- \/$mark -->\$/p" "$page" | sed '1d;$d' >"$tmp/found"
  same "$tmp/table" "$tmp/found" "the table of $page ($(basename "${@: -1}"))"
}
