#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: processes that end together and tell their reports in one stderr, a pipe or a file that
# they share, do not break each other's: each report is one JSON document.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need "$python"
[ "$reports_expected" = 1 ] || skip "it tells no reports"
for kind in pipe file append; do
  "$python" "$here/whole_reports.py" "$library" "$kind" "$(scaled 7 350)" "$(scaled 10 30)" \
    || fail "reports of processes that end together are broken ($kind)"
done
say "ok"
