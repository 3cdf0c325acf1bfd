#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: scripts/budgets finds a function of more than 60 lines in a test and in a script as well
# as in the pool, and leaves one of 60 lines as it is.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
export GIT_CEILING_DIRECTORIES=$tmp

mkdir -p "$tmp/scripts" "$tmp/tests/unit" "$tmp/tests/programs" "$tmp/pool"
cp "$source"/scripts/{budgets,source_tree.py} "$tmp/scripts"

# statements NUMBER TEXT: prints so many lines of the text.
statements() { for ((i = 0; i < $1; ++i)); do echo "$2"; done; }

# cpp LENGTH HEAD: prints a source with a function of so many lines.
cpp() {
  printf '// SPDX-License-Identifier: MIT\n%s {\n' "$2"
  statements $(($1 - 2)) '  work();'
  echo '}'
}

# python_source LENGTH: prints a source with a function of so many lines.
python_source() {
  printf '# SPDX-License-Identifier: MIT\ndef work():\n'
  statements $(($1 - 1)) '    work()'
}

# judge STATUS FILE: checks the file on stdin, which is to fail with this status.
judge() {
  local status=0 found
  cat >"$tmp/$2"
  found=$("$python" "$tmp/scripts/budgets") || status=$?
  rm "$tmp/$2"
  [ "$status" = "$1" ] || fault "status $status and not $1 for $2: $found"
  [ "$status" = 0 ] || grep -qF "$2:2: function length is 61, over 60" <<<"$found" \
    || fault "the function of $2 is not named: $found"
}

for length in 60 61; do
  status=$((length - 60))
  cpp "$length" 'TEST(Suite, Does)' | judge "$status" tests/unit/a_test.cpp
  cpp "$length" 'int main(int, char** arguments)' | judge "$status" tests/programs/a.cpp
  python_source "$length" | judge "$status" tests/work.py
done
cpp 61 'void work() noexcept' | judge 1 pool/work.cpp
finish
