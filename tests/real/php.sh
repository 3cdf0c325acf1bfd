#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: php, which loads its extensions with RTLD_DEEPBIND, starts and computes the same with us
# as without us, with its own memory manager and with all its memory from malloc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need php

work=(php "$here/php_work.php" "$(scaled 20 400)")

# run NAME PREFIX...
run() {
  local label=$1
  shift
  "$@" "${work[@]}" >"$tmp/$label" 2>"$tmp/$label.err" </dev/null \
    || fail_with "$tmp/$label.err" "php $label the library failed"
  [ ! -s "$tmp/$label.err" ] || fail_with "$tmp/$label.err" "$label: something on stderr"
}

# The promise is empty where no extension is a plug-in.
php -m >"$tmp/extensions"
grep -qx PDO "$tmp/extensions" || skip "php has no extensions to load"

run without env
run with "${with_us[@]}"
same "$tmp/without" "$tmp/with" "php_work.php"
run with-malloc "${with_us[@]}" USE_ZEND_ALLOC=0
same "$tmp/without" "$tmp/with-malloc" "php_work.php, USE_ZEND_ALLOC=0"
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok"
