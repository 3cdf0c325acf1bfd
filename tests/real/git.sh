#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: git commits, clones, repacks and checks a repository with us, and all its hashes are the
# same as without us.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need git "$python"

export HOME=$tmp GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
export GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@localhost GIT_COMMITTER_NAME=tester
export GIT_COMMITTER_EMAIL=tester@localhost
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# write_files DIRECTORY ROUND: writes 200 small files and two of 1 MiB, a part of them changed.
write_files() {
  "$python" - "$1" "$2" <<'PY'
import os, random, sys
root, number = sys.argv[1], int(sys.argv[2])
for index in range(200):
    if number and index % 3 != number % 3:
        continue
    rng = random.Random(index * 1000 + number)
    size = 1 << 20 if index % 100 == 0 else rng.randrange(1, 30000)
    folder = os.path.join(root, f"folder{index % 9}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"file{index}"), "wb") as file:
        file.write(b"".join(b"%d line of file %d\n" % (rng.randrange(9999), index)
                            for _ in range(size // 24)))
        file.write(rng.randbytes(size // 10))
PY
}

# history NAME PREFIX...: makes a repository, and prints what must be equal.
history() {
  local repository=$tmp/$1 round
  shift
  local git=("$@" git -C "$repository" -c gc.auto=0 -c init.defaultBranch=main)
  mkdir "$repository"
  "${git[@]}" init -q
  for round in $(seq 0 "$(scaled 2 9)"); do
    write_files "$repository" "$round"
    export GIT_AUTHOR_DATE="2024-01-0$((round % 9 + 1))T00:00:00Z"
    export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
    "${git[@]}" add -A
    "${git[@]}" commit -q -m "round $round"
  done
  "${git[@]}" repack -q -a -d -f "--depth=$(scaled 20 250)"
  "${git[@]}" gc -q
  "$@" git clone -q --no-local "$repository" "$repository.clone"
  git=("$@" git -C "$repository.clone")
  "${git[@]}" fsck --full --strict --no-progress
  "${git[@]}" rev-parse HEAD
  "${git[@]}" rev-list --objects --all | sort
  "${git[@]}" log -p --stat | sha256sum
  "${git[@]}" archive HEAD | sha256sum
  "${git[@]}" status --short
}

# It does not run in a condition, where set -e would not end it at the first git that fails.
history without env >"$tmp/without.out" 2>"$tmp/without.err"
(history with "${with_us[@]}") >"$tmp/with.out" 2>"$tmp/with.err" &
status=0
wait $! || status=$?
[ "$status" = 0 ] || fail_with "$tmp/with.err" "git failed with the library (status $status)"
same "$tmp/without.out" "$tmp/with.out" "the repository"
same "$tmp/without.err" "$tmp/with.err" "stderr"
mapfile -t files < <(all_reports)
check_report used "${files[@]}"
say "ok: HEAD $(grep -m 1 -E '^[0-9a-f]{40}$' "$tmp/with.out")"
