// SPDX-License-Identifier: MIT
// The pool's figures as plain integers. The report knows no more of the pool than this file, the
// lists and the leaves of pool/options.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bufpool {

inline constexpr std::size_t kSnapshotClasses = 88;
inline constexpr std::uint32_t kSnapshotVersion = 1;

// How the CPUs' caches are guarded; kPassThrough: no pool, mimalloc serves everything.
enum class PoolMode : std::uint32_t { kPassThrough, kRseq, kLocked };

// The thread that gives idle memory back, as the counter `trimmer` tells it.
enum class TrimmerState : std::uint32_t {
  kNone,
  kStarting,
  kRunning,
  kRefused,  // the system granted no thread
};

// One size class. A class that nothing was asked of is all zero but for buffer_bytes.
struct ClassSnapshot {
  std::uint64_t buffer_bytes;  // what a program may write; 0: the class is not in use
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
};

// Size and version come first, so that a reader of another version knows what it holds.
struct Snapshot {
  std::uint32_t size;     // sizeof(Snapshot) of the writer
  std::uint32_t version;  // kSnapshotVersion of the writer
  PoolMode mode;
  std::uint32_t pid;
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
  std::array<ClassSnapshot, kSnapshotClasses> classes;  // ascending by buffer_bytes
};

// Returns the counter `trimmer` as a state.
constexpr TrimmerState trimmer_state(const Snapshot& snapshot) noexcept {
  return static_cast<TrimmerState>(snapshot.trimmer);
}

}  // namespace bufpool
