#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: scripts/budgets finds a line of prose over 100 columns in a page of Markdown, and leaves
# tables, fenced blocks and links that stand alone as they are.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
export GIT_CEILING_DIRECTORIES=$tmp

mkdir -p "$tmp/scripts" "$tmp/docs"
cp "$source"/scripts/{budgets,source_tree.py} "$tmp/scripts"
page=$tmp/docs/page.md
long=$(printf 'word %.0s' {1..30})

# judge STATUS TEXT...: checks a page of these lines, which is to fail with this status.
judge() {
  local status=0 wanted=$1 found
  shift
  printf '%s\n' "$@" >"$page"
  found=$("$python" "$tmp/scripts/budgets") || status=$?
  [ "$status" = "$wanted" ] || fault "status $status and not $wanted for: $*: $found"
  [ "$status" = 0 ] || grep -q '^docs/page.md:3: .* columns of prose' <<<"$found" \
    || fault "the line is not named: $found"
}

judge 0 '# A page' '' "${long:0:100}"
judge 1 '# A page' '' "${long:0:101}x"
judge 0 '# A page' '' "| $long | $long |"
judge 0 '```' "$long" "$long" '```'
judge 1 '```' '```' "$long"
judge 0 '# A page' '' "- [a page](https://example.org/${long// /-})"
judge 0 '# A page' '' "[page]: https://example.org/${long// /-}"
judge 1 '# A page' '' "See [a page](https://example.org/${long// /-}) for more."
finish
