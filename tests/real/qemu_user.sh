#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: programs run with us under the user mode of qemu, which keeps a table of all that is
# mapped and knows no restartable sequences. The pool serves them, and guards its caches by locks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
qemu=qemu-$(uname -m)
need "$qemu" "$python"

# A table for terabytes ends at the limit, before it fills the machine.
under_qemu() {
  (
    ulimit -d $((4 << 20))
    exec timeout 120 "$qemu" -E "LD_PRELOAD=$library" "$@"
  )
}

"$qemu" /bin/true 2>"$tmp/err" || skip "$qemu runs no program of this system"
under_qemu /bin/true >"$tmp/out" 2>"$tmp/err" </dev/null \
  || fail_with "$tmp/err" "true does not start and end"
[ ! -s "$tmp/err" ] || fail_with "$tmp/err" "true says something"

command=("$python" -S -c 'import hashlib
held = [bytearray(size + round) for round in range(15) for size in (700, 5000, 70000, 300000)]
print(hashlib.sha256(b"".join(held)).hexdigest())')
quietly "$tmp/without" "${command[@]}"
under_qemu -E "BUFPOOL_REPORT=$tmp/reports/1.json" -E BUFPOOL_REPORT_FORMAT=json \
  -E BUFPOOL_REPORT_MIN=0 "${command[@]}" >"$tmp/with" 2>"$tmp/err" </dev/null \
  || fail_with "$tmp/err" "python fails"
same "$tmp/without" "$tmp/with" "python"
check_report mode locked "$tmp/reports/1.json"
say "ok"
