#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the drop-in of docs/deploy.md is one that systemd takes without a word, and it sets the
# variables as the library reads them. Each variable that it sets is one of the library's.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need systemd-analyze

mkdir "$tmp/server.service.d"
sed -n '/^```ini$/,/^```$/{/^```/!p}' "$source/docs/deploy.md" >"$tmp/server.service.d/bufpool.conf"
drop_in=$tmp/server.service.d/bufpool.conf
grep -qx '\[Service\]' "$drop_in" || fault "docs/deploy.md has no drop-in"
printf '[Service]\nExecStart=/bin/true\n' >"$tmp/server.service"

# verify: prints what systemd says of the unit with its drop-in.
verify() { SYSTEMD_UNIT_PATH=$tmp: systemd-analyze verify "$tmp/server.service" 2>&1 || true; }

verify | grep -F server.service >"$tmp/said" || true
[ ! -s "$tmp/said" ] || fault "systemd does not like the drop-in: $(cat "$tmp/said")"
# A word that systemd does not know shows that it reads the drop-in at all.
echo 'Enviroment=A=B' >>"$drop_in"
verify | grep -F bufpool.conf >/dev/null || skip "systemd-analyze does not read drop-ins here"

# systemd writes a percent sign as two.
mapfile -t variables < <(sed -n 's/^Environment=\(BUFPOOL_.*\)/\1/p' "$drop_in" | sed 's/%%/%/g')
[ "${#variables[@]}" -ge 2 ] || fault "the drop-in sets few variables"
env -i "LD_PRELOAD=$library" "${variables[@]}" BUFPOOL_REPORT=off BUFPOOL_STRICT=1 /bin/true \
  || fault "the library does not know what the drop-in sets"
finish
