#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the table of variables in README.md is what the program options_table prints, which is
# made of the list that the library has.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

readme=$source/README.md
[ -f "$readme" ] || skip "there is no README.md"
marks=$(grep -cxE '<!-- /?options -->' "$readme" || true)
[ "$marks" != 0 ] || skip "README.md has no place for the table"
# between FILE: what stands between the marks.
between() { sed -n '/^<!-- options -->$/,/^<!-- \/options -->$/p' "$1" | sed '1d;$d'; }

table=$(dirname "$library")/tests/options_table
[ -x "$table" ] || skip "there is no $table: build with BUFPOOL_TESTS=ON"
"$table" >"$tmp/table"
[ "$marks" = 2 ] || fault "README.md needs one <!-- options --> and one <!-- /options -->"
[ "$faults" = 0 ] || finish

if updating; then
  sed -e "/^<!-- options -->\$/r $tmp/table" \
    -e '/^<!-- options -->$/,/^<!-- \/options -->$/{/^<!-- \/\{0,1\}options -->$/!d}' \
    "$readme" >"$tmp/readme"
  cat "$tmp/readme" >"$readme"
  say "wrote the table into README.md"
fi
between "$readme" >"$tmp/found"
same "$tmp/table" "$tmp/found" "the table of variables (options_table)"
finish
