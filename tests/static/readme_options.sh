#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the table of variables in README.md is what the program options_table prints, which is
# made of the list that the library has.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"

[ -f "$source/README.md" ] || skip "there is no README.md"
table=$(dirname "$library")/tests/options_table
[ -x "$table" ] || skip "there is no $table: build with BUFPOOL_TESTS=ON"
same_in_page README.md options "$table"
finish
