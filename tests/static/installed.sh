#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: `cmake --install --prefix` puts the library where its name alone preloads it, with its
# manual pages and documents, and the command with its completion. Other projects find its path by
# pkg-config and by CMake's find_package, also when the folder was moved.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need cmake readelf

build=$(dirname "$library")
cache=$build/CMakeCache.txt
[ -f "$cache" ] || skip "the library has no build directory of CMake around it"
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$cache")
libdir=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:PATH=//p' "$cache")
prefix=$tmp/moved
cmake --install "$build" --prefix "$tmp/first" >"$tmp/log" || fault "cmake --install failed"
mv "$tmp/first" "$prefix"

# there PATH...: notes a fault for each file that is not below the prefix.
there() {
  local path
  for path in "$@"; do
    [ -e "$prefix/$path" ] || fault "not installed: $path"
  done
}

# preloads LIBRARY: checks that a program runs with it, and that it tells its version.
preloads() {
  env -i "LD_LIBRARY_PATH=$prefix/$libdir" "LD_PRELOAD=$1" BUFPOOL_VERBOSE=1 /bin/true 2>"$tmp/said"
  grep -q "^bufpool: version $version," "$tmp/said" \
    || fault "LD_PRELOAD=$1 does not load it: $(head -n 3 "$tmp/said")"
}

check_library() {
  local file=$prefix/$libdir/libbufpool.so.$version
  there "$libdir/libbufpool.so" "$libdir/bufpool/libbufpool.so"
  [ -f "$file" ] && [ ! -L "$file" ] || fault "$file is not the library itself"
  readelf -dW "$file" | grep -F "soname: [libbufpool.so.${version%%.*}]" >/dev/null \
    || fault "another SONAME"
  preloads "libbufpool.so.${version%%.*}"
  preloads "$prefix/$libdir/bufpool/libbufpool.so"
  [ "$(readlink -e "$build/libbufpool.so")" = "$library" ] \
    || fault "$build/libbufpool.so is not the library"
}

# The command finds the library without the link that is for developers.
check_command() {
  [ -e "$build/bufpool" ] || return 0
  mv "$prefix/$libdir/libbufpool.so" "$tmp/link"
  "$prefix/bin/bufpool" run -s VERBOSE=1 -- /bin/true 2>"$tmp/said" || true
  grep -q "^bufpool: version $version," "$tmp/said" \
    || fault "the command does not find the library: $(head -n 3 "$tmp/said")"
  mv "$tmp/link" "$prefix/$libdir/libbufpool.so"
}

# The command is built where its libraries are, and has its page and completion only then.
check_documents() {
  local page
  shopt -s nullglob
  there share/doc/bufpool/{README,CHANGELOG}.md share/doc/bufpool/LICENSE
  for page in "$source"/docs/*.md; do there "share/doc/bufpool/docs/${page##*/}"; done
  for page in "$source"/docs/man/*; do
    [[ $page == *.1 && ! -e $build/bufpool ]] || there "share/man/man${page##*.}/${page##*/}"
  done
  [ ! -e "$build/bufpool" ] || there bin/bufpool share/bash-completion/completions/bufpool \
    share/bufpool/{rules.yml,grafana.json,consoles/bufpool.html} \
    lib/systemd/system/bufpool-exporter.{service,timer}
  [ ! -e "$prefix/share/doc/bufpool/docs/fleet" ] || fault "docs/fleet is installed twice"
  for page in "$source"/include/bufpool/*.h; do there "include/bufpool/${page##*/}"; done
  shopt -u nullglob
  grep -m 1 '^## ' "$source/CHANGELOG.md" \
    | grep -qE "^## ${version//./\\.} \([0-9]{4}(-[0-9]{2}){2}\)$" \
    || fault "CHANGELOG.md does not begin with version $version and its day"
  for page in "$source"/docs/man/*; do
    grep -qF "\"bufpool $version\"" "$page" || fault "$page is of another version"
  done
}

# The header is where both ways say.
# shellcheck disable=SC2016  # these are CMake's variables
check_header() {
  there include/bufpool/bufpool.h
  configure headers 'find_package(bufpool REQUIRED)' \
    'get_target_property(folder bufpool::headers INTERFACE_INCLUDE_DIRECTORIES)' \
    'file(WRITE "${CMAKE_BINARY_DIR}/folder" "${folder}")' \
    || fault "find_package has no header: $(cat "$tmp/log")"
  [ -f "$(cat "$tmp/headers/build/folder")/bufpool/bufpool.h" ] || fault "bufpool::headers is wrong"
  [ -n "${PKG_CONFIG_PATH-}" ] || return 0
  local folder
  folder=$(pkg-config --variable=includedir bufpool)
  [ -f "$folder/bufpool/bufpool.h" ] || fault "bufpool.pc says $folder"
}

check_pages() {
  local page
  if ! command -v man >/dev/null; then
    say "the manual pages are not formatted: man is not installed"
    return
  fi
  for page in "$prefix"/share/man/man*/*; do
    man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$tmp/warnings" >/dev/null || true
    [ ! -s "$tmp/warnings" ] || fault "$page: $(cat "$tmp/warnings")"
  done
}

check_pkg_config() {
  if ! command -v pkg-config >/dev/null; then
    say "bufpool.pc is not tried: pkg-config is not installed"
    return
  fi
  export PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
  [ "$(pkg-config --modversion bufpool)" = "$version" ] || fault "bufpool.pc is of another version"
  [ -z "$(pkg-config --libs bufpool)" ] || fault "bufpool.pc links what is to be preloaded"
  preloads "$(pkg-config --variable=preload bufpool)"
}

# configure NAME LINE...: configures a project of these lines, which looks in the prefix.
configure() {
  local folder=$tmp/$1
  shift
  mkdir "$folder"
  printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(consumer LANGUAGES NONE)' "$@" \
    >"$folder/CMakeLists.txt"
  cmake -S "$folder" -B "$folder/build" "-DCMAKE_PREFIX_PATH=$prefix" >"$tmp/log" 2>&1
}

# shellcheck disable=SC2016  # these are CMake's variables
check_find_package() {
  configure consumer 'find_package(bufpool 1.0 REQUIRED)' \
    'file(WRITE "${CMAKE_BINARY_DIR}/variable" "${bufpool_PRELOAD}")' \
    'file(GENERATE OUTPUT target CONTENT "$<TARGET_FILE:bufpool::preload>")' \
    || fault "find_package does not find it: $(cat "$tmp/log")"
  preloads "$(cat "$tmp/consumer/build/variable")"
  preloads "$(cat "$tmp/consumer/build/target")"
  ! configure later "find_package(bufpool $((${version%%.*} + 1)) REQUIRED)" \
    || fault "find_package takes it for a later version"
  rm "$prefix/$libdir/libbufpool.so.${version%%.*}"
  ! configure missing 'find_package(bufpool REQUIRED)' \
    || fault "find_package finds what is not there"
}

check_library
check_command
check_documents
check_pages
check_pkg_config
check_header
check_find_package
finish
