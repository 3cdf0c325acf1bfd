#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: on a bare Debian the package installs with what it needs, `LD_PRELOAD=libbufpool.so.1`
# serves a program without a path, also another user's, and the package leaves nothing behind. The
# base system stays in the build directory for the next run.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
PATH=$PATH:/sbin:/usr/sbin
need debootstrap dpkg-deb dpkg-shlibdeps file unshare "$python"
[ "$(id -u)" = 0 ] || skip "only root can make and enter a base system"
unshare --mount --pid --fork --mount-proc true 2>"$tmp/unshare" || skip "$(cat "$tmp/unshare")"

top=$here/../..
base=$(dirname "$library")/debian-base.tar
root=$tmp/root
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

# The name that it gets last says that the base is complete.
make_base() {
  [ ! -f "$base" ] || return 0
  timeout 60 "$python" -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1])' \
    "$mirror/dists/bookworm/Release" 2>/dev/null || skip "no way to $mirror"
  say "making the base system, once"
  debootstrap --variant=minbase --include=python3-minimal bookworm "$tmp/base" "$mirror" \
    >"$tmp/debootstrap.log" 2>&1 || fail_with "$tmp/debootstrap.log" "debootstrap failed"
  tar -C "$tmp/base" --one-file-system -cf "$base.new" .
  mv "$base.new" "$base"
  rm -rf "$tmp/base"
}

# inside COMMAND...: runs a command in the base system, which sees its own processes only.
inside() {
  # shellcheck disable=SC2016  # $1 is the inner shell's
  unshare --mount --pid --fork sh -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' sh \
    "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root \
    chroot "$root" "$@"
}

apt() {
  inside apt-get -q -y --no-install-recommends "$@" >"$tmp/apt.log" 2>&1 </dev/null \
    || fail_with "$tmp/apt.log" "apt-get $* failed"
}

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

make_base
BUFPOOL_SKIP_SETUP=1 "$top/scripts/package" >"$tmp/packages" 2>"$tmp/package.log" \
  || fail_with "$tmp/package.log" "scripts/package failed"
mkdir "$root"
tar -C "$root" -xf "$base"
cp /etc/resolv.conf "$root/etc/resolv.conf"
(cd "$top" && xargs -a "$tmp/packages" cp -t "$root/tmp")
apt update
files >"$tmp/before"

for package in libbufpool1 libbufpool-dev; do
  apt install "/$(cd "$root" && echo tmp/"$package"_*.deb)"
done
inside ldconfig -p | grep 'libbufpool\.so\.1 ' >/dev/null \
  || fail "the loader's cache does not have it"
serves
serves setpriv --reuid nobody --regid nogroup --clear-groups
inside dpkg --verify libbufpool1 | grep -v '/usr/share/\(doc\|man\)' \
  && fail "the installed files differ from the package's"

apt purge libbufpool1 libbufpool-dev
apt autoremove --purge
files >"$tmp/after"
diff "$tmp/before" "$tmp/after" >"$tmp/left" \
  || fail_with "$tmp/left" "the package left files behind"
! inside ldconfig -p | grep bufpool || fail "the loader's cache still has it"
say ok
