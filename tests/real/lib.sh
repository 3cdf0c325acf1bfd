# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Has what the tests of real programs share. It is sourced, and not run. A test is called as
#   tests/real/NAME.sh path/to/libbufpool.so
# and ends with 0 (good), 1 (not good) or 77 (skipped, because a program is not installed).
#   BUFPOOL_LONG=1         longer runs
#   REAL_TEST_TIMEOUT=SEC  the limit of the whole test (600, with BUFPOOL_LONG 6000)
#   REAL_TEST_KEEP=1       keep the temporary directory
# Other BUFPOOL_* variables reach the programs:
#   BUFPOOL_MODE=locked tests/real/redis.sh build/libbufpool.so
# tests that mode. A library that is not named libbufpool* is a stand-in, to compare with or to try
# the test itself. Everything is checked then but the reports.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$(basename "$0" .sh)
servers=()

# A version manager's shell script will not do, because another python would be preloaded under it.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

# A trap runs with the redirections of the command it interrupts, so messages have their own way.
exec {messages}>&2
say() { printf '%s: %s\n' "$name" "$*" >&"$messages"; }

skip() {
  say "SKIP: $*"
  exit 77
}

fail() {
  say "FAIL: $*"
  exit 1
}

# fail_with FILE MESSAGE: prints the end of a log, and then fails.
fail_with() {
  local log=$1
  shift
  if [ -s "$log" ]; then
    say "the end of $(basename "$log"):"
    tail -n 20 "$log" | sed 's/^/  | /' >&"$messages"
  fi
  fail "$*"
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
}

# A test that hangs ends with all it started: timeout makes a process group of its own for it.
bound_time() {
  [ -z "${REAL_TEST_BOUND-}" ] || return 0
  local limit=600
  [ "${BUFPOOL_LONG:-0}" = 0 ] || limit=6000
  limit=${REAL_TEST_TIMEOUT:-$limit}
  REAL_TEST_BOUND=$limit exec timeout -k 10 "$limit" bash "$0" "$@"
}

clean_up() {
  local status=$? server
  trap - EXIT INT TERM HUP
  for server in "${servers[@]}"; do stop_hard "$server"; done
  if [ "${REAL_TEST_KEEP:-0}" = 0 ]; then rm -rf "$tmp"; else say "kept: $tmp"; fi
  exit "$status"
}

# start "$@": takes the arguments, and sets library, tmp, long and with_us.
start() {
  [ $# = 1 ] || { echo "usage: $0 path/to/libbufpool.so" >&2; exit 2; }
  [ -f "$1" ] || fail "$1 is not there; scripts/run builds it"
  bound_time "$@"
  library=$(readlink -f "$1")
  long=${BUFPOOL_LONG:-0}
  # The library would complain of a name that it does not know.
  unset BUFPOOL_LONG BUFPOOL_REPORT BUFPOOL_REPORT_FORMAT BUFPOOL_REPORT_MIN LD_PRELOAD
  export LC_ALL=C.UTF-8
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/bufpool-$name.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'say "FAIL: ended from outside, or not done after $REAL_TEST_BOUND s"; exit 1' TERM HUP
  prepare
}

prepare() {
  chmod 711 "$tmp"
  mkdir -m 1777 "$tmp/reports" # programs that change their user write here, too
  with_us=(env "LD_PRELOAD=$library" "BUFPOOL_REPORT=$tmp/reports/%p.json"
    BUFPOOL_REPORT_FORMAT=json BUFPOOL_REPORT_MIN=0)
  case $(basename "$library") in
    libbufpool*) reports_expected=1 ;;
    *)
      reports_expected=0
      say "not libbufpool: no report is looked at"
      ;;
  esac
}

# scaled NORMAL LONG: prints the figure for the length of the run.
scaled() { if [ "$long" = 0 ]; then echo "$1"; else echo "$2"; fi; }

# spawn LOG COMMAND...: starts a server in the background, and sets `pid`. It is stopped at the end.
# The command must be a program and no function, or the pid is that of a shell around it.
spawn() {
  local log=$1
  shift
  "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  servers+=("$pid")
}

stop_hard() {
  local round
  kill -TERM "$1" 2>/dev/null || return 0
  for round in {1..50}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

# wait_until SECONDS COMMAND...: tries until the command succeeds, and returns 1 if it never did.
# SECONDS are plenty on a quiet machine. A slow or busy one has ten times as long.
wait_until() {
  local deadline=$((SECONDS + 10 * $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# ended PID SECONDS LOG: waits until the server ends by itself, and checks that its status is 0.
ended() {
  local status=0
  wait_until "$2" gone "$1" || fail_with "$3" "process $1 did not end within $((10 * $2)) s"
  wait "$1" || status=$?
  [ "$status" = 0 ] || fail_with "$3" "process $1 ended with status $status"
}

same() {
  cmp -s "$1" "$2" && return 0
  diff <(head -c 20000 "$1") <(head -c 20000 "$2") | head -n 10 | sed 's/^/  | /' >&2 || true
  fail "$3: with the library it is not the same as without"
}

# quietly OUT COMMAND...: the command succeeds and says nothing on stderr. What it prints is in OUT.
quietly() {
  local out=$1
  shift
  "$@" >"$out" 2>"$out.err" </dev/null || fail_with "$out.err" "failed: $*"
  [ ! -s "$out.err" ] || fail_with "$out.err" "something on stderr: $*"
}

# as_without COMMAND...: the command prints the same with us as without.
as_without() {
  quietly "$tmp/without" "$@"
  quietly "$tmp/with" "${with_us[@]}" "$@"
  same "$tmp/without" "$tmp/with" "$*"
}

free_port() {
  "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# check_report VERB ARGUMENTS...: checks reports as report.py says.
check_report() {
  [ "$reports_expected" = 1 ] || return 0
  "$python" "$here/report.py" "$@" || fail "the report is not as it must be"
}

# report_of PID: prints the name of the file that the process wrote at exit. The other prints all.
report_of() { echo "$tmp/reports/$1.json"; }
all_reports() { find "$tmp/reports" -name '*.json' | sort; }

# choose_user ACCOUNT...: finds an account for a server that refuses to be root. `as_user` goes
# before its command.
choose_user() {
  local account
  as_user=()
  [ "$(id -u)" = 0 ] || return 0
  for account in "$@" nobody; do
    id "$account" >/dev/null 2>&1 || continue
    as_user=(setpriv "--reuid=$account" "--regid=$(id -g "$account")" --clear-groups)
    user=$account
    return 0
  done
  skip "run as root, and there is no account among: $* nobody"
}
