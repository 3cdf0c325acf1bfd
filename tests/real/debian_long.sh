#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: on a bare Debian the packages install with what they need, `LD_PRELOAD=libbufpool.so.1`
# serves a program without a path, also another user's, the command runs, and the packages leave
# nothing behind.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
source "$here/debian.bash"

# files: prints what is there, without the books of dpkg and apt.
files() {
  (cd "$root" && find . -xdev -path ./proc -prune -o -path ./tmp -prune -o -path ./var -prune \
    -o -print | grep -v '__pycache__' | sort)
}

buffers='held = [bytearray(4096 << index % 6) for index in range(300)]; print(len(held))'

# serves COMMAND...: the library serves the program that the command starts, and reports it.
serves() {
  rm -f "$root/tmp/report"
  inside "$@" env LD_PRELOAD=libbufpool.so.1 BUFPOOL_REPORT=/tmp/report \
    BUFPOOL_REPORT_FORMAT=json BUFPOOL_REPORT_MIN=0 python3 -c "$buffers" >"$tmp/out" 2>"$tmp/err" \
    || fail_with "$tmp/err" "the program failed: $*"
  [ ! -s "$tmp/err" ] || fail_with "$tmp/err" "something on stderr: $*"
  [ "$(cat "$tmp/out")" = 300 ] || fail "the program printed: $(cat "$tmp/out")"
  check_report used "$root/tmp/report"
}

enter_base
files >"$tmp/before"

for package in libbufpool1 libbufpool-dev bufpool; do
  apt install "/$(cd "$root" && echo tmp/"$package"_*.deb)"
done
inside ldconfig -p | grep 'libbufpool\.so\.1 ' >/dev/null \
  || fail "the loader's cache does not have it"
serves
serves setpriv --reuid nobody --regid nogroup --clear-groups
inside bufpool run -- bufpool config >"$tmp/out" 2>&1 || fail_with "$tmp/out" "the command fails"
inside dpkg --verify libbufpool1 bufpool | grep -v '/usr/share/\(doc\|man\)' \
  && fail "the installed files differ from the package's"

apt purge libbufpool1 libbufpool-dev bufpool
apt autoremove --purge
files >"$tmp/after"
diff "$tmp/before" "$tmp/after" >"$tmp/left" \
  || fail_with "$tmp/left" "the packages left files behind"
! inside ldconfig -p | grep bufpool || fail "the loader's cache still has it"
say ok
