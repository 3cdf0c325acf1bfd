#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: BUFPOOL_VERBOSE=1 names every variable with its default, one a line, and a program's
# stdout stays its own. A * stands for what differs from machine to machine, and version to version.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

env -i BUFPOOL_VERBOSE=1 "LD_PRELOAD=$library" /bin/echo its own >"$tmp/out" 2>"$tmp/err" \
  || fault "a program that does nothing failed"
[ "$(cat "$tmp/out")" = "its own" ] || fault "stdout holds more than the program wrote"

sed -E -e '1s/version [0-9][0-9.]*,/version *,/' -e '1s/mode (rseq|locked)$/mode */' \
  "$tmp/err" >"$tmp/options"
same_as_golden options.txt "$tmp/options"

# Each row of the list must be there, in its order.
list=$source/pool/options/options.def
grep -oE '^BUFPOOL_(OPTION|CHOICE)\(\w+, \w+, "\w+"' "$list" | sed 's/.*"\(.*\)"/\1/' \
  >"$tmp/rows"
sed -n 's/^bufpool: BUFPOOL_\([A-Z_]*\)=.*/\1/p' "$tmp/err" >"$tmp/told"
same "$tmp/rows" "$tmp/told" "pool/options/options.def"
finish
