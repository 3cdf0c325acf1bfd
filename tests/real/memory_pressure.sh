#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: when tasks of the machine wait for memory, the kernel wakes the library in a python that
# does nothing, and the idle memory that was worth keeping goes back. Those who wait read a file
# round and round in a control group that has less memory than it is long. Waits that are over when
# the library begins to watch give nothing back, though the kernel may tell of them then.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need "$python" unshare mount dd timeout
[ "$reports_expected" = 1 ] || skip "a stand-in gives nothing back under pressure"
[ "$(id -u)" = 0 ] || skip "only root makes control groups"

told=/proc/pressure/memory
log=$tmp/python.log
group=
kept_idle=$((32 << 10)) # KiB, as VmRSS
group_bytes=$((24 << 20))
file_mib=96

# stalled prints the microseconds for which some task has waited for memory.
stalled() { sed -n 's/^some .*total=//p' "$told"; }

resident() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }

# The group is of either version, and at the top, because this test's own group may not be divided.
make_group() {
  local limit=memory.max
  group=/sys/fs/cgroup/bufpool_test_$$
  if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
    group=/sys/fs/cgroup/memory/bufpool_test_$$
    limit=memory.limit_in_bytes
  fi
  mkdir "$group" 2>/dev/null || { group= && skip "no control group can be made"; }
  { echo "$group_bytes" >"$group/$limit"; } 2>/dev/null || skip "no group's memory can be limited"
  member=(bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")
}

group_is_empty() { [ -z "$(cat "$group/cgroup.procs")" ]; }

kill_members() {
  local process
  while read -r process; do kill -KILL "$process" 2>/dev/null || true; done <"$group/cgroup.procs"
  wait_until 10 group_is_empty
}

# leave does what clean_up does, and removes the group first. The kernel may tell of its waits for
# another 2 s, and what the next test keeps idle is not to go back for that.
leave() {
  local status=$?
  set +e
  [ ! -d "$group" ] || { kill_members; rmdir "$group"; sleep 3; }
  (exit "$status")
  clean_up
}
trap leave EXIT

a_trigger_is_to_be_had() {
  (exec {trigger}<>"$told" && printf 'some 200000 2000000\0' >&"$trigger") 2>/dev/null
}

# watches PID: the library's thread there holds the trigger.
watches() {
  local task
  for task in /proc/"$1"/task/*; do
    [ "$(cat "$task/comm")" = bufpool-trim ] || continue
    grep -qx "$told" <<<"$(readlink "$task"/fd/*)" && return
  done
  return 1
}

# is_calm: nobody waits, as far as the kernel tells. It may take 2 s to tell.
is_calm() {
  local before
  before=$(stalled)
  sleep 3
  [ $(($(stalled) - before)) -lt 50000 ]
}

# is_kept and is_back tell whether the memory is resident that was idle at first.
is_kept() { [ $((idle - $(resident "$pid"))) -lt 2048 ]; }
is_back() { [ $((idle - $(resident "$pid"))) -gt $((kept_idle * 7 / 8)) ]; }

a_trigger_is_to_be_had || skip "the kernel grants no trigger of pressure"
hide=(unshare --mount bash -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' hide)
"${hide[@]}" true 2>/dev/null || skip "nothing can be mounted"
case $(stat -f -c %T "$tmp") in
  tmpfs | ramfs) skip "$tmp is no disk; TMPDIR=/var/tmp may be one" ;;
esac
make_group
# Pages that a process of the group writes are the group's, as long as they are cached.
"${member[@]}" dd if=/dev/urandom "of=$tmp/long" bs=1M count=$file_mib conv=fsync 2>"$tmp/dd.log" \
  || fail_with "$tmp/dd.log" "no file of $file_mib MiB can be written"

mapfile -t rounds < <(yes long | head -n 20000)

# read_for SECONDS COUNT: so many of the group read the file round and round.
read_for() {
  local seconds=$1 n
  for ((n = 0; n < $2; ++n)); do
    (cd "$tmp" && exec "${member[@]}" timeout "$seconds" cat "${rounds[@]}") >/dev/null 2>&1 &
    disown # or the shell tells of their end
  done
}

# The kernel counts what is waited while nobody has a trigger into the first window of the next one.
read_for 3 4
wait_until 20 group_is_empty
wait_until 3 is_calm || skip "the machine is short of memory as it is"

# The process's own group may be one in which nobody waits. So it sees none and watches the machine.
spawn "$log" "${hide[@]}" "${with_us[@]}" BUFPOOL_RETAIN_MAX=256M BUFPOOL_RETAIN_TIME=10m \
  BUFPOOL_WARMUP=64K:512 "$python" -c '
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
held = [bytearray(65000) for _ in range(512)]
del held
print("idle", flush=True)
signal.pause()'
wait_until 20 grep -q idle "$log" || fail_with "$log" "python does not come so far"
wait_until 20 watches "$pid" || fail "the library does not watch $told by a trigger"
idle=$(resident "$pid")
before=$(stalled)
read_for 0.2 1
sleep 3
if ! is_kept; then
  [ $(($(stalled) - before)) -lt 150000 ] || skip "the machine is short of memory as it is"
  fail "idle memory does not stay without pressure"
fi

before=$(stalled)
began=$SECONDS
read_for 300 4
if ! wait_until 25 is_back; then
  share=$((($(stalled) - before) / (SECONDS - began) / 10000))
  # This is twice what makes the trigger fire, so it must have fired.
  [ "$share" -ge 20 ] || skip "the readers wait only $share% of the time: no pressure"
  fail "tasks wait for memory $share% of the time, and $(resident "$pid") KiB are resident still"
fi
took=$((SECONDS - began))
kill_members || fail "the readers do not end"
kill -TERM "$pid"
ended "$pid" 20 "$log"
check_report least pressure_events 1 "$(report_of "$pid")"
say "ok: after $took s of pressure, $((($(stalled) - before) / 1000)) ms of waiting"
