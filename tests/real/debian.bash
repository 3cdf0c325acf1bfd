# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Has what the tests on a bare Debian share. It is sourced behind lib.sh and its `start`, and skips
# the test where that cannot be. The base system, and what apt gets for it, stay in the build
# directory for the next run.

PATH=$PATH:/sbin:/usr/sbin
need debootstrap dpkg-deb dpkg-shlibdeps file unshare "$python"
[ "$(id -u)" = 0 ] || skip "only root can make and enter a base system"
unshare --mount --pid --fork --mount-proc true 2>"$tmp/unshare" || skip "$(cat "$tmp/unshare")"

top=$here/../..
base=$(dirname "$library")/debian-base.tar
archives=$(dirname "$library")/debian-archives
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

# inside COMMAND...: runs a command in the base system, which sees its own processes only. With
# `alone` set it has a network of its own, too.
alone=
inside() {
  # shellcheck disable=SC2016  # the variables are the inner shell's
  unshare --mount --pid --fork ${alone:+--net} sh -c 'mount -t proc proc "$1/proc" &&
      mount --bind "$2" "$1/var/cache/apt/archives" || exit
      [ -z "$3" ] || ip link set lo up || exit
      root=$1 && shift 3 && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"' sh "$root" "$archives" "$alone" "$@"
}

apt() {
  inside apt-get -q -y --no-install-recommends "$@" >"$tmp/apt.log" 2>&1 </dev/null \
    || fail_with "$tmp/apt.log" "apt-get $* failed"
}

# enter_base: makes the packages, and a base system with them in /tmp, in which no service starts.
enter_base() {
  make_base
  BUFPOOL_SKIP_SETUP=1 "$top/scripts/package" >"$tmp/packages" 2>"$tmp/package.log" \
    || fail_with "$tmp/package.log" "scripts/package failed"
  mkdir -p "$root" "$archives/partial"
  tar -C "$root" -xf "$base"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  (cd "$top" && xargs -a "$tmp/packages" cp -t "$root/tmp")
  apt update
}
