#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the files that CONTRIBUTING.md names are there, and so are the names that it tells to
# look for in them. These stand in brackets behind the file: `pool/NAME.h` (`word`, `word`).
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

guide=$source/CONTRIBUTING.md
folders='(pool|interpose|include|report|cli|tests|scripts|docs|cmake)'
path="((\./)?$folders/[A-Za-z0-9_./-]+|README\.md|CMakeLists\.txt)"

named=$(grep -oE "\`$path" "$guide" | tr -d '`' | sort -u | grep -v NAME)
[ "$(wc -w <<<"$named")" -ge 25 ] || fault "few files are named: $named"
for file in $named; do
  [ -e "$source/$file" ] || fault "CONTRIBUTING.md names $file, which is not there"
done

# A list of names may go on in the next line of the page. Each gets a line: the file and the name.
tr '\n' ' ' <"$guide" | tr -s ' ' | grep -oE "\`$path\` \(\`[^)]*\)" \
  | awk -F'`' '{ for (i = 4; i < NF; i += 2) print $2 "\t" $i }' >"$tmp/anchors"
[ "$(wc -l <"$tmp/anchors")" -ge 20 ] || fault "few names to look for: $(cat "$tmp/anchors")"
while IFS=$'\t' read -r file anchor; do
  grep -qF -- "$anchor" "$source/$file" || fault "$file has no $anchor"
done <"$tmp/anchors"

# A list of three steps at most says what to do for each kind of change.
for kind in 'An option' 'A counter' 'A size class' 'A processor architecture' 'A backing' \
  'A form of the report' 'A verb'; do
  steps=$(sed -n "/^## $kind\$/,/^## /p" "$guide" | grep -c '^[0-9]\.' || true)
  [ "$steps" = 3 ] || fault "'$kind' has $steps steps and not 3"
done
finish
