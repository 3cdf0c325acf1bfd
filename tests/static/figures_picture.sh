#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: docs/figures.svg shows the table of docs/figures.md, for each row a mark of each other
# allocator. UPDATE_GOLDEN=1 draws it anew.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need "$python"

"$python" "$source/scripts/figures-picture" - >"$tmp/figures.svg" || fault "it cannot be drawn"
if updating; then cp "$tmp/figures.svg" "$source/docs/figures.svg"; fi
same "$source/docs/figures.svg" "$tmp/figures.svg" docs/figures.svg
sed -n '/^| ns per malloc/,/^$/p' "$source/docs/figures.md" >"$tmp/table"
rows=$(grep -cE '\*\*[0-9.]+[kM]?\*\*' "$tmp/table")
marks=$(grep -c '^<circle.*<title>' "$tmp/figures.svg")
[ "$marks" -ge 20 ] && [ $((marks % 5)) = 0 ] || fault "$marks marks of five allocators"
[ "$rows" = $((marks / 5)) ] || fault "$rows rows, and $marks marks"
finish
