#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: the library is built for aarch64, and serves programs there by its locked mode. The
# programs run under qemu's user mode. Those that it cannot run are left out: it takes a limit of
# memory for its own, and starts no other program. The arm64 packages are unpacked in the build
# directory, and not installed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
start "$@"
need aarch64-linux-gnu-g++ qemu-aarch64 apt-get dpkg-deb cmake ninja "$python"

top=$here/../..
folder=$(dirname "$library")/aarch64
export AARCH64_ROOT=$folder/root
packages=(libc6 libgcc-s1 libstdc++6 libmimalloc2.0 libmimalloc-dev libfmt9 libfmt-dev
  libspdlog1.10 libspdlog-dev libgtest-dev)
units=(size_classes_test cpu_cache_test stats_page_reader_test)
programs=(all_operators_pair calloc_is_zero_after_dirty_free double_free_is_told
  every_alignment_holds freed_by_another_thread growing_by_realloc_keeps_contents
  idle_memory_goes_back malloc_trim_returns_memory memalign_rules mode_locked_is_obeyed
  overrun_is_told realloc_moves_contents_in_every_direction report_exact_counts
  signal_handler_allocates thread_exit_frees usable_size_is_writable)

# quiet_apt ARGUMENTS...: apt-get for arm64, which knows nothing of this machine's packages.
quiet_apt() {
  apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
    -o Dir::State::status=/dev/null \
    -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root "$@" \
    >"$tmp/apt.log" 2>&1 </dev/null
}

# The name that it gets last says that the folder is complete.
make_root() {
  [ ! -d "$AARCH64_ROOT" ] || return 0
  local package
  mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/debs" "$folder"
  rm -rf "$AARCH64_ROOT.new"
  quiet_apt update || skip "no lists of arm64 packages: $(tail -n 1 "$tmp/apt.log")"
  (cd "$tmp/debs" && quiet_apt download "${packages[@]}") \
    || skip "no arm64 packages: $(tail -n 1 "$tmp/apt.log")"
  for package in "$tmp"/debs/*.deb; do dpkg-deb -x "$package" "$AARCH64_ROOT.new"; done
  mv "$AARCH64_ROOT.new" "$AARCH64_ROOT"
}

build() {
  cmake -S "$top" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUFPOOL_TESTS=ON \
    -DCMAKE_TOOLCHAIN_FILE="$top/cmake/aarch64.cmake" >"$tmp/build.log" 2>&1 \
    && cmake --build "$folder/build" --parallel "$(nproc)" \
      --target libbufpool.so "${units[@]}" "${programs[@]/#/program_}" >"$tmp/build.log" 2>&1 \
    || fail_with "$tmp/build.log" "it is not built"
}

emulator="qemu-aarch64 -L $AARCH64_ROOT"
make_root
build
for unit in "${units[@]}"; do
  $emulator "$folder/build/tests/$unit" >"$tmp/out" 2>&1 || fail_with "$tmp/out" "$unit fails"
done
for program in "${programs[@]}"; do
  "$python" "$here/../run_program.py" --library "$folder/build/libbufpool.so" \
    --program "$folder/build/tests/programs/$program" --source "$here/../programs/$program.cpp" \
    --emulator "$emulator" >"$tmp/out" 2>&1 || fail_with "$tmp/out" "$program fails"
done
say ok
