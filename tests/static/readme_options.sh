#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the table of variables in README.md is what scripts/options-table prints.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

[ -f "$source/README.md" ] || skip "there is no README.md"
same_in_page README.md options "$python" "$source/scripts/options-table"
finish
