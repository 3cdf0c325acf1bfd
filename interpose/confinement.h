// SPDX-License-Identifier: MIT
// Tells whether the program has locked itself in: then a system call that it did not make before
// may be its death.
#pragma once

namespace bufpool {

// True: the program put a filter of its own on this thread since its start, or it cannot be known.
// Makes no system calls but openat, read and close. A signal handler may call it.
[[nodiscard]] bool has_locked_itself_in() noexcept;

// The program gives up new privileges, or sets a filter. The pool makes no system call from then on
// that it can do without, see platform::expects_filter().
void note_privileges_given_up() noexcept;

// Whether the program has taken, by libc's prctl, the step that comes before a filter for almost
// all programs: it has given up new privileges, or set the filter itself. Makes no system call.
[[nodiscard]] bool may_have_locked_itself_in() noexcept;

}  // namespace bufpool
