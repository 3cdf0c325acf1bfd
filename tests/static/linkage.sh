#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: the library asks little of the process that it is preloaded into: no C++ runtime, no text
# relocations, no lazy binding, next to no thread-local storage, no executable stack, and one
# constructor of its own. Its own calls for pages are not taken for the program's.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
need readelf objdump nm c++filt

readelf -dW "$library" >"$tmp/dynamic"
readelf -lW "$library" >"$tmp/segments"
readelf -rW "$library" >"$tmp/relocations"
readelf -SW "$library" >"$tmp/sections"
grep -q ' \.symtab ' "$tmp/sections" || skip "stripped: functions have no names"

# none FILE PATTERN MESSAGE: notes a fault if the file has the pattern.
none() {
  local found
  found=$(grep -E "$2" "$tmp/$1" || true)
  [ -z "$found" ] || fault "$3: $found"
}

# some FILE PATTERN MESSAGE: notes a fault if the file does not have the pattern.
some() { grep -qE "$2" "$tmp/$1" || fault "$3"; }

check_needed() {
  # ld-linux has __tls_get_addr. check_tls says more.
  grep '(NEEDED)' "$tmp/dynamic" >"$tmp/needed"
  sed -i -E '/\[(libc\.so\.6|libm\.so\.6|ld-linux-x86-64\.so\.2|libmimalloc\.so\.[0-9]+)\]/d' \
    "$tmp/needed"
  none needed . "needed, and dragged into every process"
  none dynamic '\((RPATH|RUNPATH)\)' "a search path of the machine that built it"
}

check_flags() {
  some dynamic '\(FLAGS_1\).*\bNODELETE\b' "dlclose may unload it: NODELETE is missing"
  some dynamic '\(FLAGS_1\).*\bNOW\b' "it binds lazily: NOW is missing"
  none dynamic 'TEXTREL' "text relocations"
  # A symbolic binding would keep a program's own operator new from ours.
  none dynamic '\(SYMBOLIC\)|FLAGS\).*SYMBOLIC' "binds its own names to itself"
  some segments 'GNU_RELRO' "relocated data stays writable"
  some segments '^ *GNU_STACK .* RW ' "GNU_STACK is missing or executable"
  none segments '^ *LOAD .* (RWE|WE|RW E) ' "writable and executable"
}

check_names() {
  readelf -W --dyn-syms "$library" >"$tmp/names"
  # The process has one symbol of this kind: the program's copy would be ours.
  none names ' UNIQUE .* [0-9]+ ' "STB_GNU_UNIQUE"
}

check_own_calls() {
  none relocations ' (madvise|mlock2?|mmap(64)?|mprotect|munmap|pkey_mprotect)(@| |$)' \
    "calls for pages of its own by the name that it shows to programs"
}

# ISO C leaves names without an underscore to programs, but for its own. A program's function stands
# in front of libc's. These are the names that are left: what asks libc and not the kernel, and what
# mimalloc calls by its name as well.
check_called_names() {
  local iso='abort|fflush|fprintf|fputc|fputs|fwrite|mem\w+|snprintf|sprintf|stderr|str\w+|time'
  local threads='pthread_\w+|localtime_r'
  local loader='dladdr|dlsym|environ|setenv|gettext|program_invocation_short_name'
  local mimalloc='mi_\w+|clock_gettime|syscall'
  nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }' \
    | grep -vxE "_.*|$iso|$threads|$loader|$mimalloc" >"$tmp/called" || true
  none called . "called by a name that a program may have for a function of its own"
}

# The static TLS block has little space for what is loaded late. Initial-exec is one TPOFF64 per
# variable. The one entry for the dynamic model has no name. It is libstdc++'s for its
# __cxa_eh_globals, which is compiled in this way in its archive and is used by nobody but a thrown
# exception.
check_tls() {
  local bytes
  bytes=$(($(awk '$1 == "TLS" { print $6 }' "$tmp/segments")))
  [ "$bytes" -lt 128 ] || fault "$bytes bytes of thread-local storage, 128 are too many"
  none relocations 'R_X86_64_(DTPMOD64 +[0-9a-f]+ +[A-Za-z_]|DTPOFF64|TLSDESC)' \
    "dynamic thread-local storage"
  [ "$(grep -c 'R_X86_64_DTPMOD64' "$tmp/relocations")" -le 1 ] \
    || fault "more than libstdc++'s entry of dynamic thread-local storage"
  objdump -d --no-show-raw-insn "$library" >"$tmp/code"
  awk '/^[0-9a-f]+ </ { at = $2 } /(call|jmp) .*<__tls_get_addr/ { print at }' "$tmp/code" \
    | grep -vE '<(__cxa_get_globals(_fast)?|__tls_get_addr@plt)>:' >"$tmp/callers" || true
  none callers . "calls __tls_get_addr, which may allocate"
}

# The pool is zero before it opens. One word that is not zero would put all of it into the file,
# from where each page that is written is copied.
check_data() {
  local size
  size=$(sed 's/^ *\[ *[0-9]*\]//' "$tmp/sections" | awk '$1 == ".data" { print $5 }')
  [ $((0x$size)) -lt 16384 ] || fault "$((0x$size)) bytes of data that is not zero"
}

# section_words NAME: prints the functions that an array of pointers is relocated to.
section_words() {
  local from size to
  read -r from size < <(sed 's/^ *\[ *[0-9]*\]//' "$tmp/sections" \
    | awk -v section="$1" '$1 == section { print $3, $5 }')
  to=$(printf '%016x' $((0x$from + 0x$size)))
  # Addresses of one length compare as text; the x keeps awk from taking them for numbers.
  awk -v from="x$from" -v to="x$to" \
    '$3 == "R_X86_64_RELATIVE" && "x" $1 >= from && "x" $1 < to { print $4 }' \
    "$tmp/relocations" | while read -r address; do
    awk -v address="$address" '$1 ~ "^0*" address "$" { print $3; exit }' "$tmp/functions"
  done
}

# The constructors are ours and the toolchain's: crti's frame_dummy, and libstdc++'s for the
# emergency pool of exceptions, the ids of locale facets (which fmt's headers mention) and the error
# categories.
check_constructors() {
  local ours='bufpool::(anonymous namespace)::begin()'
  local file known=("$ours" frame_dummy)
  for file in eh_alloc {,cxx11_}{,w}locale_inst system_error; do
    known+=("_GLOBAL__sub_I_$file.cc")
  done
  nm "$library" | grep -i ' t ' >"$tmp/functions"
  section_words .init_array | c++filt >"$tmp/constructors"
  [ "$(head -n 1 "$tmp/constructors")" = "$ours" ] || fault "$ours is not the first constructor"
  printf '%s\n' "${known[@]}" | grep -vxFf - "$tmp/constructors" >"$tmp/unknown" || true
  none unknown . "a constructor, where constant initialisation was meant"
  [ "$(wc -l <"$tmp/constructors")" -le ${#known[@]} ] || fault "a constructor runs twice"
}

check_needed
check_flags
check_data
check_names
check_own_calls
check_called_names
check_tls
check_constructors
finish
