#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the tables of counters in docs/report-fields.md are what scripts/counters-table prints,
# and the reports have these names and no others.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

page=$source/docs/report-fields.md
same_in_page docs/report-fields.md counters "$python" "$source/scripts/counters-table"

sed -n 's/^# TYPE \(\w*\) .*/\1/p' "$golden/report.prom" | LC_ALL=C sort >"$tmp/metrics"
grep -oE '`bufpool_[a-z_]+`' "$page" | tr -d '`' | LC_ALL=C sort -u >"$tmp/told"
same "$tmp/metrics" "$tmp/told" "the names of Prometheus"

grep -oE '"[a-z_]+":' "$golden/report.json" | tr -d '":' | LC_ALL=C sort -u >"$tmp/keys"
sed -n '/^## JSON/,$s/^| `\([a-z_]*\)`.*/\1/p' "$page" | LC_ALL=C sort -u >"$tmp/told"
same "$tmp/keys" "$tmp/told" "the names of JSON"

# The page explains each heading of the table, and each word in front of a figure below it.
headings=$(sed -n 's/^[^:]*: *size  *//p' "$golden/report.txt" | sed 's/  */ /g')
for word in $headings 'asked for' granted waste 'passed to mimalloc' resident reserved \
  'idle buffers' budget 'given back' faulted 'needed again soon' trimmer 'pressure events' \
  'CPU caches drained' 'what to change'; do
  grep -qF -- "$word" "$golden/report.txt" || fault "the report has no $word"
  grep -qE "^\|.*\`.*$word.*\`.* \|" "$page" || fault "docs/report-fields.md has no $word"
done
finish
