#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: scripts/package builds Debian packages that lintian finds no error in. The library and
# the command in them are stripped and hardened, and the library needs no C++ runtime. Its package
# depends on mimalloc, and runs no script at its installation. The machine code that serves requests
# is that of the build directory.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need dpkg-deb dpkg-shlibdeps file readelf objdump lintian

# The path of the package of a name, such as libbufpool1.
package() { grep -E "/$1_[^/]*\.deb\$" "$tmp/packages"; }

# field PACKAGE FIELD: prints what the package says of itself.
field() { dpkg-deb --field "$source/$(package "$1")" "$2"; }

# has PACKAGE PATH...: notes a fault for each path below /usr that the package does not have.
has() {
  local path owner=$1
  shift
  dpkg-deb --contents "$source/$(package "$owner")" >"$tmp/contents"
  for path in "$@"; do
    grep -qE " \./usr/$path( -> .*)?\$" "$tmp/contents" || fault "$owner has no /usr/$path"
  done
}

check_contents() {
  has libbufpool1 "$folder/libbufpool\.so\.$version" "$folder/libbufpool\.so\.1 -> libbufpool.*" \
    "$folder/bufpool/libbufpool\.so -> \.\./libbufpool\.so\.1" share/man/man7/libbufpool.7.gz \
    share/doc/libbufpool1/{README.md,docs/deploy.md,copyright,changelog.gz,changelog.Debian.gz}
  ! grep -v ' root/root ' "$tmp/contents" || fault "libbufpool1 has files of another owner"
  has libbufpool-dev "$folder/libbufpool\.so -> .*" "$folder/pkgconfig/bufpool.pc" \
    "$folder/cmake/bufpool/bufpoolConfig.cmake" include/bufpool/bufpool.h \
    share/doc/libbufpool-dev/copyright
  has bufpool bin/bufpool share/man/man1/bufpool.1.gz share/bash-completion/completions/bufpool \
    lib/systemd/system/bufpool-exporter.{service,timer} \
    share/bufpool/{rules.yml,grafana.json,consoles/bufpool.html} share/doc/bufpool/copyright
}

check_control() {
  grep -q 'libmimalloc2\.0' <<<"$(field libbufpool1 Depends)" || fault "no dependency on mimalloc"
  grep -q 'libc6' <<<"$(field libbufpool1 Depends)" || fault "no dependency on libc"
  grep -q 'libstdc++' <<<"$(field libbufpool1 Depends)" && fault "a dependency on libstdc++"
  [ "$(field libbufpool-dev Depends)" = "libbufpool1 (= $(field libbufpool1 Version))" ] \
    || fault "libbufpool-dev depends on $(field libbufpool-dev Depends)"
  grep -qF "libbufpool1 (= $(field libbufpool1 Version))" <<<"$(field bufpool Depends)" \
    || fault "bufpool depends on $(field bufpool Depends)"
  dpkg-deb --ctrl-tarfile "$source/$(package libbufpool1)" | tar -t | sort >"$tmp/control"
  printf './%s\n' '' control md5sums shlibs triggers | same - "$tmp/control" "the control files"
}

# hardened FILE: notes a fault for what a file lacks that was unpacked.
hardened() {
  readelf -dW "$1" >"$tmp/dynamic"
  grep -qE '\(FLAGS\).*BIND_NOW' "$tmp/dynamic" || fault "$1 binds lazily"
  readelf -lW "$1" >"$tmp/segments"
  grep -q GNU_RELRO "$tmp/segments" || fault "$1 has no RELRO"
  grep -qE 'GNU_STACK .* RW ' "$tmp/segments" || fault "$1 has a stack that is executable"
  readelf -hW "$1" | grep -E 'Type: +DYN' >/dev/null || fault "$1 is at a fixed address"
  ! readelf -SW "$1" | grep -E ' \.(symtab|debug_)' || fault "$1 is not stripped"
  readelf -W --dyn-syms "$1" | grep 'UND __stack_chk_fail' >/dev/null \
    || fault "$1 guards no stack"
}

check_command() {
  dpkg-deb --extract "$source/$(package bufpool)" "$tmp/root"
  hardened "$tmp/root/usr/bin/bufpool"
}

check_library() {
  local file=$tmp/root/usr/$folder/libbufpool.so.$version
  dpkg-deb --extract "$source/$(package libbufpool1)" "$tmp/root"
  hardened "$file"
  grep -qF 'soname: [libbufpool.so.1]' "$tmp/dynamic" || fault "another SONAME"
  ! grep -E 'NEEDED.*(stdc|gcc_s|fmt|spdlog)' "$tmp/dynamic" || fault "it needs the line above"
  local entry
  for entry in malloc free _Znwm _ZdlPv; do
    [ "$(instructions "$entry" "$file" | wc -l)" -ge 20 ] || fault "no code of $entry is seen"
    diff <(instructions "$entry" "$library") <(instructions "$entry" "$file") >&2 \
      || fault "the code of $entry is not that of the build directory"
  done
}

# instructions NAME LIBRARY: prints the function without the addresses of what it reaches.
instructions() {
  objdump -d --no-show-raw-insn --no-addresses "--disassemble=$1" "$2" | grep -P '^\t' \
    | sed -E 's/(call|jmp|j[a-z]+) .*/\1/; s/ *#.*//; s/0x[0-9a-f]+\(%rip\)/X/'
}

check_lintian() {
  (cd "$source" && xargs -a "$tmp/packages" lintian --allow-root --fail-on error) \
    >"$tmp/lintian" 2>&1 || fault "lintian finds errors: $(cat "$tmp/lintian")"
}

BUFPOOL_SKIP_SETUP=1 "$source/scripts/package" >"$tmp/packages" || { fault "not built"; finish; }
version=$(field libbufpool1 Version)
version=${version%-*}
folder=lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
check_contents
check_control
check_library
check_command
check_lintian
finish
