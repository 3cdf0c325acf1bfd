#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: `bufpool top` shows three live servers on a terminal, and scripts/top-picture draws that.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
PATH=$PATH:/usr/sbin
start "$@"
need redis-server nginx memcached unshare "$python"
bufpool=$(dirname "$library")/bufpool
[ -x "$bufpool" ] || skip "the command is not built"
unshare --pid --fork --mount-proc true 2>"$tmp/unshare" \
  || skip "no PID namespace, in which these are the only processes"

script=$here/../../scripts/top-picture
PYTHONDONTWRITEBYTECODE=1 "$python" "$script" "$tmp/top.svg" "$bufpool" 2>"$tmp/log" \
  || fail_with "$tmp/log" "there is no picture"
"$python" - "$tmp/top.svg" <<'PY' || fail "the picture is not right"
import sys
import xml.etree.ElementTree as xml
lines = {}
for text in xml.parse(sys.argv[1]).getroot().iter("{http://www.w3.org/2000/svg}text"):
    lines.setdefault(text.get("y"), []).append(text.text)
lines = [" ".join(parts) for parts in lines.values()]
print("\n".join(lines), file=sys.stderr)
assert lines[0].startswith("bufpool top: 4 processes, "), lines[0]
assert lines[1].split()[:4] == ["pid", "command", "user", "gets/s"], lines[1]
assert lines[-1].startswith("q quit  Enter classes"), lines[-1]
commands = sorted(line.split()[1] for line in lines[2:-1])
assert commands == ["memcached", "nginx", "nginx", "redis-server"], commands
for row in lines[2:-1]:
    assert row.rstrip()[-1] in "KMG" and not row.split()[-1].startswith("0"), row
PY
say ok
