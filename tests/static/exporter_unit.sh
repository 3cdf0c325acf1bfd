#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: systemd takes the units of docs/fleet without a word. With the capabilities that the
# service has, and no others, the command reads processes of all users.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
command=$(dirname "$library")/bufpool
[ -x "$command" ] || skip "the command is not built"
need systemd-analyze setpriv
units=$source/docs/fleet
service=$tmp/bufpool-exporter.service
child=

# verify: prints what systemd says of the units.
verify() {
  SYSTEMD_UNIT_PATH=$tmp: systemd-analyze verify "$service" "$tmp/bufpool-exporter.timer" 2>&1 |
    grep -F bufpool-exporter || true
}

check_units() {
  cp "$units"/bufpool-exporter.* "$tmp"
  grep -q '^ExecStart=bufpool ' "$service" || fault "the service does not run the command"
  sed -i "s|^ExecStart=bufpool |ExecStart=$command |" "$service"
  verify >"$tmp/said"
  [ ! -s "$tmp/said" ] || fault "systemd does not like the units: $(cat "$tmp/said")"
  # A word that systemd does not know shows that it reads the units at all.
  sed 's/^StateDirectory=/StateDirectori=/' -i "$service"
  [ -n "$(verify)" ] || skip "systemd-analyze does not read units here"
}

# capabilities: prints those of the service as setpriv wants them.
capabilities() {
  sed -n 's/^CapabilityBoundingSet=//p' "$service" | tr -d '\n' | tr 'A-Z ' 'a-z,' |
    sed 's/cap_/+/g; s/^/-all,/'
}

# reads COMMAND...: the service's rights are enough to read a process that the command starts.
reads() {
  mkfifo "$tmp/hold"
  LD_PRELOAD=$library BUFPOOL_REPORT=off "$@" "$python" -S -c \
    'import os; held = [bytearray(5000) for _ in range(900)]; os.write(1, b"r"); os.read(0, 1)' \
    >"$tmp/ready" <"$tmp/hold" &
  child=$!
  exec 8>"$tmp/hold"
  until [ -s "$tmp/ready" ]; do
    kill -0 "$child" 2>/dev/null || { fault "the program does not run: $*" && return; }
    sleep 0.02
  done
  setpriv --bounding-set "$(capabilities)" --inh-caps -all \
    "$command" export --group-by pid >"$tmp/text" || fault "export fails"
  grep -qE "^bufpool_processes\{.*pid=\"$child\"\} 1$" "$tmp/text" || fault "not read: $*"
  exec 8>&-
  wait "$child" || true
  rm "$tmp/hold" "$tmp/ready"
}

check_units
if [ "$(id -u)" != 0 ]; then
  say "the capabilities are not tried: this is not root"
  finish
  exit 0
fi
chmod 711 "$tmp"
[[ $(capabilities) == -all,+*,+* ]] || fault "the service has no capabilities: $(capabilities)"
reads env
reads setpriv --reuid nobody --regid nogroup --clear-groups
finish
