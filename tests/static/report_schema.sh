#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: docs/report.schema.json is what scripts/counters-table makes of the list of counters, and
# the reports in JSON are as it says: the golden one, and one of a real process. A report with a
# figure too few or too many is not.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

schema=$source/docs/report.schema.json
"$python" "$source/scripts/counters-table" --schema >"$tmp/schema"
if updating; then cp "$tmp/schema" "$schema" && say "wrote $schema"; fi
same "$tmp/schema" "$schema" "docs/report.schema.json"

"$python" -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"
env -i "LD_PRELOAD=$library" BUFPOOL_REPORT="$tmp/report" BUFPOOL_REPORT_FORMAT=json \
  BUFPOOL_REPORT_MIN=0 /bin/sh -c 'echo $0' "$(printf '%2000s' x)" >"$tmp/out"
"$python" - "$schema" "$golden/report.json" "$tmp/report" <<'PY' || fault "a report is wrong"
import json
import sys

import jsonschema


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


schema, reports = load(sys.argv[1]), [load(path) for path in sys.argv[2:]]
jsonschema.Draft7Validator.check_schema(schema)
for report in reports:
    jsonschema.validate(report, schema)
    assert report["classes"], "a report without classes tests little"
wrong = [{**reports[0], "budget": 1}, {k: v for k, v in reports[0].items() if k != "budget_bytes"},
         {**reports[0], "uptime_ms": "12"}, {**reports[0], "classes": [{"size": "64K"}]}]
for report in wrong:
    try:
        jsonschema.validate(report, schema)
    except jsonschema.ValidationError:
        continue
    sys.exit("the schema lets a wrong report pass")
PY
finish
