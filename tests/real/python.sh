#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: a python program with growing buffers, compression, threads, forked and spawned children
# computes the same with us as without us, with python's own small-object allocator and without.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need "$python"

work=("$python" "$here/python_work.py" "$(scaled 6 60)")

as_without "${work[@]}"
as_without env PYTHONMALLOC=malloc "${work[@]}"
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok"
