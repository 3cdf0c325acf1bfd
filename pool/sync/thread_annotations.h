// SPDX-License-Identifier: MIT
// Defines names for clang's thread-safety analysis, which `scripts/check threads` runs. They say
// which lock guards a member and which lock a function needs. Under gcc they are empty.
#pragma once

#if defined(__clang__)
#define BUFPOOL_THREAD_ATTRIBUTE(attribute) __attribute__((attribute))
#else
#define BUFPOOL_THREAD_ATTRIBUTE(attribute)
#endif

// Marks a class whose objects are locks.
#define BUFPOOL_CAPABILITY(name) BUFPOOL_THREAD_ATTRIBUTE(capability(name))

// Marks a class whose objects hold a lock until they end.
#define BUFPOOL_SCOPED_CAPABILITY BUFPOOL_THREAD_ATTRIBUTE(scoped_lockable)

// Marks a member that may be read and written only under the lock.
#define BUFPOOL_GUARDED_BY(lock) BUFPOOL_THREAD_ATTRIBUTE(guarded_by(lock))

// Marks a function whose caller holds the locks.
#define BUFPOOL_REQUIRES(...) BUFPOOL_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

// Marks a function whose caller does not hold the locks.
#define BUFPOOL_EXCLUDES(...) BUFPOOL_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

// Marks a function that takes the lock if it returns the first argument.
#define BUFPOOL_TRY_ACQUIRE(...) BUFPOOL_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))

// Marks a function that releases the lock.
#define BUFPOOL_RELEASE(...) BUFPOOL_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))

// Marks a function that the analysis does not look into. A comment beside each use gives the
// reason.
#define BUFPOOL_NO_THREAD_ANALYSIS BUFPOOL_THREAD_ATTRIBUTE(no_thread_safety_analysis)
