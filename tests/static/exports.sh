#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the library shows the list in interpose/exports.map and nothing else, without versions.
# The list has every name of the malloc family that glibc, mimalloc and libstdc++ of this machine
# have. A name that is missing would bind to them while its sisters bind here.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need nm ldd

# defined LIBRARY: prints the names that it exports, without versions.
defined() { nm -D --defined-only "$1" | awk '{ print $NF }' | sed 's/@.*//' | LC_ALL=C sort -u; }

# The family is known by names: allocating and freeing, mall*, and operators new and delete.
family='^([a-z0-9_]*alloc(array|arr|f)?|[cv]?free(_.*)?|.*memalign|mall.*|_Z(n[wa]|d[la]).*)$'

# These are not in the list, for the reasons below. They are exact names and patterns of grep -E.
exceptions=(
  # These are glibc's names for its own start and inside.
  '__libc_(alloca_cutoff|freeres|scratch_buffer.*|dynarray.*|initial|.*_mutex.*|reallocarray|cfree)'
  # mimalloc adds these names of BSD, macOS and Windows. No program that is built for glibc links to
  # them.
  'malloc_size|malloc_good_size|reallocf|reallocarr|vfree|_aligned_malloc'
  # These are mimalloc's own names, and blocks that they give are its own.
  'mi_.*'
  # These are not about the heap, or are no functions.
  'mallwatch|pkey_alloc|inet6_option_alloc|__sched_cpualloc'
)

versioned=$(nm -D --defined-only "$library" | grep '@' || true)
[ -z "$versioned" ] || fault "versions, which no program asks for: $versioned"

defined "$library" >"$tmp/exports"
same_as_golden exports.txt "$tmp/exports"

sed -e 's/#.*//' "$source/interpose/exports.map" | sed -n '/global:/,/local:/p' \
  | grep -vE 'global:|local:' | tr -s '; \n' '\n' | sed '/^$/d' | LC_ALL=C sort >"$tmp/map"
same "$tmp/map" "$tmp/exports" interpose/exports.map

reasons=$(IFS='|' && echo "${exceptions[*]}")
standard=$(g++ -print-file-name=libstdc++.so.6 2>/dev/null || true)
for other in "$(library_path libc.so)" "$(library_path libmimalloc.so)" "$standard"; do
  [ -f "$other" ] || continue
  defined "$other" | grep -E "$family" | grep -vxE "$reasons" >"$tmp/family" || true
  # libmimalloc may be built without the operators; none at all means the patterns are wrong.
  [ -s "$tmp/family" ] || fault "$other has no name of the family"
  missing=$(LC_ALL=C comm -23 "$tmp/family" "$tmp/exports" | tr '\n' ' ')
  [ -z "$missing" ] || fault "$other has, and we have not: $missing"
done
finish
