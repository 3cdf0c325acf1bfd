#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: php, which loads its extensions with RTLD_DEEPBIND, starts and computes the same with us
# as without us, with its own memory manager and with all its memory from malloc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need php

work=(php "$here/php_work.php" "$(scaled 20 400)")

# The promise is empty where no extension is a plug-in.
php -m >"$tmp/extensions"
grep -qx PDO "$tmp/extensions" || skip "php has no extensions to load"

as_without "${work[@]}"
as_without env USE_ZEND_ALLOC=0 "${work[@]}"
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok"
