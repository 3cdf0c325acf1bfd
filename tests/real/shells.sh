#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: the shells' redirections, pipes, jobs and traps do with us what they do without us. Their
# stdout and status are the same, and stderr has nothing more than lines of ours. One line of
# shells.txt is one script: the shells that are to run it (bash, dash or both), a tab, the script.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need bash dash

# run OUTCOME SHELL SCRIPT [VARIABLE=VALUE...]: runs the script in a folder of its own. OUTCOME has
# what is to be the same.
run() {
  local outcome=$1 shell=$2 script=$3 folder=$1.folder status=0
  shift 3
  mkdir "$folder"
  cd "$folder"
  env "$@" "$shell" -c "$script" script one two >"$folder/.out" 2>"$folder/.err" </dev/null \
    || status=$?
  {
    printf '%s -c %q\nstatus %s, stdout:\n' "$shell" "$script" "$status"
    cat .out
    echo stderr:
    grep -v '^bufpool\[' .err || true
  } >"$outcome"
  rm -rf "$folder"
}

# run_all FOLDER [VARIABLE=VALUE...]: makes a file in the folder for each script and shell.
run_all() {
  local folder=$1 number=0 shell shells script
  shift
  mkdir "$folder"
  while IFS=$'\t' read -r shells script; do
    case $shells in '' | '#'*) continue ;; esac
    [ "$shells" != both ] || shells='bash dash'
    for shell in $shells; do
      number=$((number + 1))
      run "$folder/$number" "$shell" "${script//§/$'\n'}" "$@"
    done
  done <"$here/shells.txt" 2>/dev/null
}

run_all "$tmp/without" &
run_all "$tmp/with" "LD_PRELOAD=$library"
wait $! || fail "the scripts do not run without the library"
scripts=$(find "$tmp/without" -type f | wc -l)
[ "$scripts" -ge 200 ] || fail "only $scripts scripts in shells.txt"
diff -r -U 100 "$tmp/without" "$tmp/with" >"$tmp/difference" \
  || fail_with "$tmp/difference" "with the library the shells do not do as they do without"
say "ok: $scripts scripts"
