#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: memcached gives back what was stored, values of 50 B to 4 MiB, over several connections.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need memcached "$python"

socket=$tmp/memcached.sock
log=$tmp/memcached.log
account=()
[ "$(id -u)" != 0 ] || account=(-u root)

# No value is evicted. There is more memory than the values take, and nothing moves it between
# slabs, which would drop the values that there is no room for.
spawn "$log" "${with_us[@]}" memcached -s "$socket" -m 1024 -I 8m -t 4 -o slab_automove=0 \
  "${account[@]}"
wait_until 10 test -S "$socket" || fail_with "$log" "memcached does not listen"
done=$("$python" "$here/memcached_data.py" "$socket" "$(scaled 5 60)") \
  || fail_with "$log" "the values are not right"
kill -INT "$pid"
ended "$pid" 10 "$log"
! grep -v '^Signal handled' "$log" || fail "memcached wrote the lines above"
check_report used "$(report_of "$pid")"
say "ok: $done operations"
