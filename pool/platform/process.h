// SPDX-License-Identifier: MIT
// This is the contract for what this process is, may use and has in use. linux/process.cpp
// implements it. Every function may be called before constructors, in a forked child and in a
// signal handler. None allocates, and none changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::platform {

// Returns the number of this process, as the kernel numbers it.
[[nodiscard]] std::uint32_t process_id() noexcept;

// Returns a number that differs from process to process and cannot be guessed. It never is 0.
[[nodiscard]] std::uint64_t process_secret() noexcept;

// Returns the number of CPUs that this process may run on now. It is 1 at least.
[[nodiscard]] std::uint32_t usable_cpus() noexcept;

// Returns the bytes of address space that this process may map, or SIZE_MAX if there is no limit.
[[nodiscard]] std::size_t address_space_limit() noexcept;

// Returns the bytes of address space that this process has mapped, or 0 where the kernel does not
// tell. It reads a file.
[[nodiscard]] std::size_t address_space_used() noexcept;

// Returns the resident bytes of this process, or 0 where the kernel does not tell. It reads a file.
[[nodiscard]] std::size_t resident_bytes() noexcept;

}  // namespace bufpool::platform
