#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: redis keeps the same data with us as without us, saves it under load and loads it again.
# In steady load 99% of its buffers come from a CPU's cache.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need redis-server redis-cli redis-benchmark "$python"

socket=$tmp/redis.sock
log=$tmp/redis.log

cli() { redis-cli -s "$socket" "$@"; }

# serve PREFIX...: starts a server that is empty, or has the dump that lies in the directory.
serve() {
  spawn "$log" "$@" redis-server --port 0 --unixsocket "$socket" --dir "$tmp" --save '' \
    --enable-debug-command yes --daemonize no
  wait_until 20 answers || fail_with "$log" "redis-server does not answer"
}

answers() { [ "$(cli ping)" = PONG ]; }

stop() {
  cli shutdown nosave >/dev/null 2>&1 || true
  ended "$pid" 20 "$log"
}

# digest prints the digest of the whole data set. redis prints 40 zeros for an empty one.
digest() {
  local answer
  answer=$(cli debug digest)
  [[ $answer =~ ^[0-9a-f]{40}$ && $answer != 0000000000* ]] || fail "DEBUG DIGEST said: $answer"
  echo "$answer"
}

fill() {
  "$python" "$here/redis_data.py" "$socket" "$(scaled 4 40)" || fail_with "$log" "filling failed"
}

equal() { [ "$1" = "$2" ] || fail_with "$log" "digest $1, expected $2: $3"; }

saved() { cli info persistence | grep -q '^rdb_bgsave_in_progress:0'; }

# The load goes to a database of its own, which is emptied before the digest is taken.
save_under_load() {
  redis-benchmark -s "$socket" --dbnum 9 -q -t set -d 20000 -r 500 -c 10 -n 100000000 \
    >/dev/null 2>&1 &
  local load=$! round
  servers+=("$load")
  for round in $(seq "$(scaled 2 10)"); do
    sleep 0.5
    cli bgsave >/dev/null
    wait_until 20 saved || fail_with "$log" "BGSAVE is not done"
    cli info persistence | grep -q '^rdb_last_bgsave_status:ok' \
      || fail_with "$log" "BGSAVE failed (round $round)"
  done
  gone "$load" && fail_with "$log" "redis-benchmark ended during BGSAVE"
  kill "$load"
  wait "$load" 2>/dev/null || true
}

same_data() {
  serve env
  fill
  expected=$(digest)
  stop
  serve "${with_us[@]}"
  fill
  equal "$(digest)" "$expected" "with the library the data are not the same as without"
  save_under_load
  stop
  [ -s "$tmp/dump.rdb" ] || fail_with "$log" "BGSAVE left no dump"
  check_report used "$(report_of "$pid")"
}

dump_loads() {
  serve "${with_us[@]}"
  cli -n 9 flushdb >/dev/null
  equal "$(digest)" "$expected" "the dump written under load holds other data"
  cli flushall async >/dev/null
  [ "$(cli dbsize)" = 0 ] || fail_with "$log" "FLUSHALL left keys"
  fill
  equal "$(digest)" "$expected" "after FLUSHALL the same data are others"
  stop
  rm -f "$tmp/dump.rdb"
}

# One size comes after the other, each for some seconds. The first gets of a key are the misses.
steady_load() {
  local bytes
  serve "${with_us[@]}"
  for bytes in 16384 65536; do
    redis-benchmark -s "$socket" -q -t set,get -d "$bytes" -r 200 -c 20 \
      -n "$(scaled 40000 400000)" >/dev/null || fail_with "$log" "redis-benchmark failed"
  done
  cli flushall >/dev/null
  stop
  check_report hits 0.99 16384 "$(report_of "$pid")"
}

same_data
dump_loads
steady_load
say "ok: digest $expected"
