#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Promise: scripts/interfaces finds a class with too many public functions and a function without
# a comment, and leaves alone what its head says that it leaves alone.
source "$(dirname "${BASH_SOURCE[0]}")/golden.bash"
start "$@"
export GIT_CEILING_DIRECTORIES=$tmp

mkdir -p "$tmp/scripts" "$tmp/pool/room" "$tmp/report"
cp "$source"/scripts/{interfaces,declarations.py,source_tree.py} "$tmp/scripts"

# judge FILE WANTED: checks that fault is found with the header on stdin. Each line found holds a
# line of WANTED, in this order. If WANTED is empty, no fault is found.
judge() {
  local found status=0 pattern
  cat >"$tmp/$1"
  found=$("$python" "$tmp/scripts/interfaces") || status=$?
  rm "$tmp/$1"
  if [ -z "$2" ]; then
    [ "$status" = 0 ] || fault "what is allowed was found fault with: $found"
    return
  fi
  [ "$status" = 1 ] || fault "the status is $status where this was to be found: $2"
  [ "$(wc -l <<<"$found")" = "$(wc -l <<<"$2")" ] || fault "found $found, and not $2"
  while read -r pattern; do
    grep -qF -- "$pattern" <<<"$found" || fault "found $found, and not $pattern"
  done <<<"$2"
}

# wide NUMBER: prints a class with so many public functions, and with all that does not count.
wide() {
  local i
  printf 'class Wide {\n public:\n'
  printf '  // Of these none counts.\n  Wide() noexcept;\n  explicit Wide(int x) : x_{x} {}\n'
  printf '  ~Wide();\n  bool operator==(const Wide&) const;\n  void gone() = delete;\n'
  printf '  static constexpr int sum(int a) { return a; }\n  friend void swap(Wide&, Wide&);\n'
  printf '  // Two of one name count once.\n  void do_1(int);\n'
  for ((i = 1; i <= $1; ++i)); do printf '  void do_%d();\n' "$i"; done
  printf '\n private:\n  void own();\n  int x_;\n  struct Part {\n    void part();\n  };\n};\n'
}

wide 12 | judge pool/room/wide.h ''
wide 13 | judge pool/room/wide.h 'pool/room/wide.h:1: Wide has 13 public functions, over 12: do_1 '
wide 13 | judge pool/wide.cpp 'pool/wide.cpp:1: Wide has 13 public functions'
wide 13 | judge report/wide.h ''

judge report/bare.h 'report/bare.h:2: bare has no comment
report/bare.h:13: after_a_gap has no comment
report/bare.h:17: Shown has no comment
report/bare.h:19: shown has no comment
report/bare.h:25: in_a_struct has no comment' <<'EOH'
namespace bufpool {
int bare(int x) {
  // A comment inside says how and not what.
  return x;
}

// It is explained.
template <typename T, typename = std::enable_if_t<(sizeof(T) > 8)>>
[[nodiscard]] std::array<T, 2> explained(T first, T second) noexcept;
inline int in_the_group() { return 0; }
int at_its_end(int);  // It says so here.

int after_a_gap() noexcept;

class Shown {
 public:
  Shown(int x) : x_{x}, y_(x) {}
  Shown(const Shown&) = delete;
  void shown() const;
  ~Shown() { clean(); }
  bool operator<(const Shown& other) const { return x_ < other.x_; }

 private:
  void hidden();
  struct Inner { void inner(); }; }; struct Open { int a = f(1); int in_a_struct();
};

inline constexpr int kValue = explained(1, 2)[0];
// A later definition needs no second comment.
int explained_later();
int (*pointer)(int) = nullptr;

int explained_later() { return kValue < 3 ? kValue : 1; }
int Shown::outside() { return 1; }
}  // namespace bufpool
EOH
finish
