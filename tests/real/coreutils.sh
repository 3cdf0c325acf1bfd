#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: everyday tools print the same with us as without us, and nothing of ours on stdout. The
# report appears even from those that close stderr before they end.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need "$python" tar gzip awk perl sed

cd "$tmp"
"$python" - "$(scaled 400000 4000000)" <<'PY'
import os, random, sys
rng = random.Random(3)
with open("lines", "w", encoding="ascii") as file:
    for number in range(int(sys.argv[1])):
        file.write(f"{rng.randrange(10**9)} {number % 977} word{rng.randrange(5000)}\n")
os.mkdir("tree")
for number in range(400):
    with open(f"tree/{number}", "wb") as file:
        file.write(rng.randbytes(rng.randrange(1, 30000)))
PY

# both LABEL COMMAND...: the command is quiet with the report off, and prints the same. Its stdout
# is a file, so it prints what it prints when nobody looks.
both() {
  local label=$1 status=0 expected=0
  shift
  "$@" >"$tmp/out.without" 2>"$tmp/err.without" </dev/null || expected=$?
  "${with_us[@]}" BUFPOOL_REPORT=off "$@" >"$tmp/out.with" 2>"$tmp/err.with" </dev/null || status=$?
  [ "$status" = "$expected" ] \
    || fail_with "$tmp/err.with" "$label ended with $status, without the library with $expected"
  [ -s "$tmp/out.without" ] || fail "$label printed nothing: the test tests nothing"
  same "$tmp/out.without" "$tmp/out.with" "stdout of $label"
  same "$tmp/err.without" "$tmp/err.with" "stderr of $label"
}

# tells LEAST COMMAND...: the report is on stderr, and nothing of it on stdout.
tells() {
  local least=$1
  shift
  "$@" >"$tmp/out.without" 2>/dev/null </dev/null
  "${with_us[@]}" BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=text "BUFPOOL_REPORT_MIN=$least" \
    "$@" >"$tmp/out.with" 2>"$tmp/err.with" </dev/null
  same "$tmp/out.without" "$tmp/out.with" "stdout of $1 with a report"
  [ "$reports_expected" = 1 ] || return 0
  grep -qi 'bufpool' "$tmp/err.with" || fail_with "$tmp/err.with" "$1 shows no report on stderr"
}

both ls ls -l --time-style=full-iso "$tmp/tree"
both 'ls of nothing' bash -c 'ls /nowhere/at/all; ls -d /'
both sort sort -S 8M --parallel=2 lines
both 'sort -n' sort -n -k2,2 -k1,1 lines
both 'sort -u' sort -u -k3,3 lines
both uniq bash -c "cut -d' ' -f3 lines | sort | uniq -c"
both tar tar -cf - --sort=name tree
both 'tar, gzip' bash -c 'tar -cf - --sort=name tree | gzip -n -9 | tee packed | sha256sum'
both gunzip bash -c 'gzip -dc packed | tar -xOf - | sha256sum'
both awk awk '{ seen[$3]++; if (NR % 200 == 0) text = text $0 }
  END { for (k in seen) n += seen[k]; print n, length(text) }' lines
both sed sed -n -e '1h;1!H;$!d' -e 'x;s/\n/,/g;p' lines
both grep grep -c 'word42.* *$' lines
both bash bash -c 's=; for ((i = 0; i < 3000; i++)); do s+="item $i "; a[i]=${s:0:200}; done
  printf "%s\n" "${a[@]}" "$s"; echo "$(seq 20000)"'
both perl perl -e 'my %h; my $s = ""; for my $i (1 .. 100000) { $h{$i % 5000} .= "x" x ($i % 97);
  $s .= $i } print length($s), "\n"; print "$_ ", length($h{$_}), "\n" for sort keys %h'
both 'xargs and find' bash -c 'find tree -type f | sort | xargs -n 50 -P 2 wc -c | sort'
tells 0 ls "$tmp/tree"
tells 1 sort lines

# The library's own needs are no requests of the program.
tells 0 true
[ "$reports_expected" = 0 ] || grep -q 'no buffers were asked for' "$tmp/err.with" \
  || fail_with "$tmp/err.with" "the report of true shows buffers that it did not ask for"
say "ok"
