#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: a PostgreSQL server gives the same answers with us as without us, keeps its books under
# pgbench, and stops cleanly.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
PATH=$PATH:$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
start "$@"
need initdb postgres psql pgbench
choose_user postgres

log=$tmp/postgres.log
data=$tmp/data/cluster
# The server's account may not be able to reach the directory that the library was built in.
cp "$library" "$tmp/"
chmod 755 "$tmp/$(basename "$library")"
with_us+=("LD_PRELOAD=$tmp/$(basename "$library")")
mkdir -m 700 "$tmp/data"
mkdir -m 755 "$tmp/socket"
[ -z "${user-}" ] || chown "$user" "$tmp/data" "$tmp/socket"
export PGHOST=$tmp/socket PGUSER=tester PGDATABASE=postgres
cd /

make_cluster() {
  "${as_user[@]}" "${with_us[@]}" initdb -D "$data" -U tester -A trust -N --locale=C -E UTF8 \
    >"$tmp/initdb.log" 2>&1 || fail_with "$tmp/initdb.log" "initdb failed"
}

answers() { psql -c 'select 1'; }

serve() {
  spawn "$log" "${as_user[@]}" "$@" postgres -D "$data" -c listen_addresses= \
    -c "unix_socket_directories=$PGHOST" -c fsync=off -c max_parallel_workers_per_gather=2
  wait_until 20 answers || fail_with "$log" "postgres does not answer"
}

stop() {
  kill -INT "$pid"
  ended "$pid" 20 "$log"
}

answer_to() { psql -q -f "$here/postgres.sql" >"$1" 2>"$tmp/psql.err" \
  || fail_with "$tmp/psql.err" "psql failed"; }

# Each transaction of pgbench books one sum in four tables.
bench() {
  pgbench -q -i -s 2 >"$tmp/pgbench.log" 2>&1 || fail_with "$tmp/pgbench.log" "pgbench -i failed"
  pgbench -n -c 6 -j 2 -T "$(scaled 5 60)" >"$tmp/pgbench.log" 2>&1 \
    || fail_with "$tmp/pgbench.log" "pgbench failed"
  local books
  books=$(psql -qAt -c "select count(distinct s), bool_or(s <> 0) from (
    select sum(abalance) s from pgbench_accounts union all
    select sum(tbalance) from pgbench_tellers union all
    select sum(bbalance) from pgbench_branches union all
    select sum(delta) from pgbench_history) as sums")
  [ "$books" = '1|t' ] || fail "after pgbench the sums of the four tables differ ($books)"
}

check_log() {
  ! grep -E 'PANIC|terminated by signal|out of memory|invalid free|^.?bufpool' "$log" \
    || fail "the server's log has the lines above"
}

make_cluster
serve env
answer_to "$tmp/without"
stop
serve "${with_us[@]}"
answer_to "$tmp/with"
same "$tmp/without" "$tmp/with" "answers of postgres.sql"
bench
stop
check_log
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok: $(sed -n 's/^tps = /transactions a second: /p' "$tmp/pgbench.log")"
