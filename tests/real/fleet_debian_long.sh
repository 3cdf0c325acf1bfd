#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: the walk-through of docs/fleet.md works on a bare Debian as it stands. The packages
# install, a redis runs under the library, Prometheus sees it, an advice is followed, and the gain
# is counted.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need ip
source "$here/debian.bash"

walk=$root/tmp/walk.sh

# blocks: prints the blocks of the walk-through, each behind a line with its number.
blocks() {
  sed -n '/^## A walk-through$/,/^## [^A]/p' "$top/docs/fleet.md" |
    awk '/^```sh$/ { on = 1; print "# block", ++block; next } /^```$/ { on = 0 } on'
}

# block FIRST LAST: prints these blocks.
block() {
  awk -v first="$1" -v last="$2" '/^# block/ { n = $3 } n >= first && n <= last' "$tmp/all"
}

# Prometheus sees what the commands changed a little later.
write_walk() {
  cat <<'END'
set -euo pipefail
cd /tmp
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
sum() { echo "sum(bufpool_class_$1_total{comm=\"redis-server\"})"; }
value() { ask "$(sum "$1")" | grep -oE '"[0-9]+"\]' | tr -d '"]'; }
END
  block 2 3
  cat <<'END'
until value fallbacks >first; do sleep 1; done
curl -sf http://127.0.0.1:9191/consoles/bufpool.html >page
before=$(value gets)
END
  block 4 4
  cat <<'END'
until [ "$(value gets)" -gt "$before" ]; do sleep 1; done
value fallbacks >last
bufpool report redis-server --format json >report
END
}

blocks >"$tmp/all"
[ "$(grep -c '^# block' "$tmp/all")" = 4 ] || fail "docs/fleet.md has another number of blocks"
enter_base
block 1 1 >"$walk"
inside bash -euo pipefail -c 'cd /tmp && . ./walk.sh' >"$tmp/log" 2>&1 </dev/null \
  || fail_with "$tmp/log" "the packages are not installed"
write_walk >"$walk"
alone=1
inside timeout 600 bash /tmp/walk.sh >"$tmp/log" 2>&1 </dev/null \
  || fail_with "$tmp/log" "the walk-through fails"

grep -q 'set BUFPOOL_MAX_BUFFERS=0 for no limit, or to more' "$tmp/log" \
  || fail_with "$tmp/log" "the advice is another"
first=$(cat "$root/tmp/first")
[ "$first" -gt 500 ] || fail "the limit was not felt: $first fallbacks"
[ "$first" = "$(cat "$root/tmp/last")" ] || fail "there are more fallbacks than before"
check_report none fallbacks "$root/tmp/report"
grep -q 'redis-server</a>' "$root/tmp/page" || fail "the console page has no redis"
say "with the limit $first requests found no buffer, and without it none"
say ok
