#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the files that CONTRIBUTING.md names are there, and so are the names that it tells to
# look for in them.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

guide=$source/CONTRIBUTING.md
named=$(grep -oE '`(\./)?(pool|interpose|report|tests|scripts)/[A-Za-z0-9_./]+' "$guide" \
  | tr -d '`' | sort -u | grep -v NAME)
[ "$(wc -w <<<"$named")" -ge 15 ] || fault "few files are named: $named"
for path in $named; do
  [ -e "$source/$path" ] || fault "CONTRIBUTING.md names $path, which is not there"
done

holds() { grep -q "$1" "$source/$2" || fault "$2 has no $1"; }
holds 'struct Options' pool/options/options.h
holds 'count_class' pool/pool_figures.cpp
holds 'kLastClass' pool/memory/size_classes.h
holds 'kWidestShift' pool/memory/chunks.h
holds 'bufpool_mimalloc' CMakeLists.txt
finish
