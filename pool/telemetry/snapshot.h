// SPDX-License-Identifier: MIT
// The pool's doings as plain integers: the only thing of the pool that report/ and cli/ know.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bufpool {

inline constexpr std::size_t kSnapshotClasses = 88;
inline constexpr std::uint32_t kSnapshotVersion = 1;

// How the CPUs' caches are guarded; kPassThrough: no pool, mimalloc serves everything.
enum class PoolMode : std::uint32_t { kPassThrough, kRseq, kLocked };

// One size class. A class nothing was asked of is all zero but for buffer_bytes.
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

}  // namespace bufpool
