#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: the Dockerfile of docs/deploy.md builds an image whose entry point preloads the library.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"

engine=
for name_of_engine in docker podman; do
  if "$name_of_engine" info >/dev/null 2>&1; then engine=$name_of_engine && break; fi
done
[ -n "$engine" ] || skip "neither docker nor podman answers"
for image in debian:12 debian:12-slim; do
  "$engine" image inspect "$image" >/dev/null 2>&1 || "$engine" pull "$image" >"$tmp/pull" 2>&1 \
    || skip "no image $image: $(tail -n 1 "$tmp/pull")"
done
"$engine" run --rm debian:12-slim true 2>"$tmp/run" \
  || skip "$engine runs no container here: $(tail -n 1 "$tmp/run")"

top=$here/../..
tag=bufpool-test-$$
sed -n '/^```dockerfile$/,/^```$/{/^```/!p}' "$top/docs/deploy.md" >"$tmp/Dockerfile"
[ -s "$tmp/Dockerfile" ] || fail "docs/deploy.md has no Dockerfile"
"$engine" build -t "$tag" -f "$tmp/Dockerfile" "$top" >"$tmp/build.log" 2>&1 \
  || fail_with "$tmp/build.log" "the image is not built"
"$engine" run --rm -e BUFPOOL_VERBOSE=1 "$tag" /bin/true >"$tmp/said" 2>&1 \
  || fail_with "$tmp/said" "the image does not run"
"$engine" rmi "$tag" >/dev/null
grep -q '^bufpool: version ' "$tmp/said" || fail_with "$tmp/said" "the library is not preloaded"
say ok
