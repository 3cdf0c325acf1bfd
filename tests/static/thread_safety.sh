#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: `scripts/check threads` finds code that touches what a lock guards without the lock.
# Small wrong functions are given to the same analysis, and each must be refused. A right one must
# pass.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need clang++-14

# analyse BODY: prints what the analysis says of a function of that body, on the state of a class.
analyse() {
  cat >"$tmp/case.cpp" <<EOF
#include "pool/state/span_state.h"
namespace bufpool {
std::uint64_t look(SpanState& state, Span& span) noexcept {
  (void)span;
  $1
}
}  // namespace bufpool
EOF
  "$source/scripts/thread_safety" "$tmp/case.cpp" >"$tmp/said" 2>&1
}

# refused WHAT BODY: checks that the analysis refuses a function of that body.
refused() {
  if analyse "$2"; then fault "$1 passes"; fi
  grep -q 'Wthread-safety' "$tmp/said" || fault "$1: another error: $(head -n 3 "$tmp/said")"
}

held='const LockedSpans locked(state); if (!locked) return 0;'
analyse "$held state.file(span); return state.counters.misses;" ||
  fault "a right function is refused: $(head -n 3 "$tmp/said")"
refused 'a read without the lock' 'return state.counters.misses;'
refused 'a write without the lock' 'state.came_along = 1; return 0;'
refused 'a call without the lock' 'state.file(span); return 0;'
refused 'a lock that is not asked for' \
  'const LockedSpans locked(state); return state.counters.misses;'
refused 'the wrong answer' \
  'const LockedSpans locked(state); if (locked) return 0; return state.counters.misses;'
refused 'a read after the end of the lock' "{ $held } return state.counters.misses;"
refused 'a lock that is taken twice' "$held const LockedSpans again(state); return 0;"
refused 'a lock that is kept' 'if (state.lock.lock()) return 1; return 0;'
finish
