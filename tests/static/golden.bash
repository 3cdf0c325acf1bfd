#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Has what the tests that look at the library share. It is sourced, and not run. A test is called as
#   tests/static/NAME.sh path/to/libbufpool.so top-of-the-source-tree
# and ends with 0 (good), 1 (not good) or 77 (skipped). UPDATE_GOLDEN=1 writes the test's file in
# tests/golden anew instead of comparing with it. What must hold whatever the file says is still
# checked.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$(basename "$0" .sh)

# A version manager's shell script will not do, because another python would be preloaded under it.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

say() { printf '%s: %s\n' "$name" "$*" >&2; }

skip() {
  say "SKIP: $*"
  exit 77
}

# fault MESSAGE: notes a fault and goes on, so that the others are found too. `finish` ends the test.
# The note is a file, because a fault may be found in a subshell, such as one side of a pipe.
fault() {
  say "FAIL: $*"
  : >"$tmp/a-fault-was-found"
}

finish() {
  [ ! -e "$tmp/a-fault-was-found" ] || exit 1
  say ok
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
}

# start "$@": takes the arguments, and sets library, source, golden and tmp.
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

# same WANTED FOUND WHAT: notes a fault with the lines that differ.
same() {
  diff -U 2 --label "wanted: $3" --label "found" "$1" "$2" >&2 || fault "$3 differs"
}

# same_as_golden NAME FOUND: compares with the golden file, or writes it.
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

# Instructions are counted for what Debian 12 builds by default. Others do it in a few more or less.
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

# library_path NAME: prints where the loader finds a library that the library needs. It prints
# nothing if it needs none of that name.
library_path() { ldd "$library" | awk -v name="$1" 'index($1, name) == 1 { print $3 }'; }

# same_in_page PAGE MARK COMMAND...: checks that the output of the command stands between <!-- MARK
# --> and <!-- /MARK --> of a page of Markdown. UPDATE_GOLDEN=1 puts it there.
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
