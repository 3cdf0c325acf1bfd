#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: with no variable but LD_PRELOAD everyday commands say nothing: ls, git log, python3 -c,
# gcc and node -e. A command that makes many requests does report.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need ls git gcc "$python"
[ "$reports_expected" = 1 ] || skip "there is no report to be silent about"

export HOME=$tmp GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
export GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@localhost GIT_COMMITTER_NAME=tester
export GIT_COMMITTER_EMAIL=tester@localhost
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

run() { env "LD_PRELOAD=$library" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; }

# silent COMMAND...: a busy machine may make the life of a command longer than the second from which
# fewer requests are worth a report. Then it is tried again.
silent() {
  local began
  for _ in {1..20}; do
    began=$(date +%s%N)
    run "$@" || fail_with "$tmp/err" "failed: $*"
    [ -s "$tmp/err" ] || return 0
    [ $(($(date +%s%N) - began)) -ge 900000000 ] || fail_with "$tmp/err" "it is not silent: $*"
  done
  say "no trial: the machine is too busy for $1"
}

mkdir "$tmp/repository"
cd "$tmp/repository"
for file in {1..200}; do head -c 3000 /dev/urandom | base64 >"file$file"; done
git init -q
git add -A
git commit -q -m 'some files'
echo 'int main(void) { return 0; }' >main.c

silent ls -l
silent git log -p --stat
silent "$python" -c 'import json; print(json.dumps(list(range(1000))))'
silent gcc -O2 -o main main.c
if command -v node >/dev/null; then silent node -e 'console.log(1 + 1)'; fi

run "$python" -c 'for i in range(20000): bytearray(70000)' || fail_with "$tmp/err" "python failed"
grep -q '^bufpool\[' "$tmp/err" || fail "many requests are worth a report"
say ok
