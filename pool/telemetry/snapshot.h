// SPDX-License-Identifier: MIT
// Holds the pool's figures as plain integers. The report knows no more of the pool than this file,
// the lists and the leaves of pool/options.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bufpool {

inline constexpr std::size_t kSnapshotClasses = 88;
inline constexpr std::uint32_t kSnapshotVersion = 1;

// Says how the CPUs' caches are guarded. kPassThrough says that there is no pool, and mimalloc
// serves everything.
enum class PoolMode : std::uint32_t { kPassThrough, kRseq, kLocked };

// Names what there is of the thread that gives idle memory back, as the counter `trimmer` tells it.
enum class TrimmerState : std::uint32_t {
  kNone,
  kStarting,
  kRunning,
  kRefused,  // the system granted no thread
};

// Holds the figures of one size class. A class that nothing was asked of is all zero but for
// buffer_bytes.
struct ClassSnapshot {
  std::uint64_t buffer_bytes;  // bytes that a program may write; 0 if the class is not in use
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
};

// Holds all figures. Size and version come first, so that a reader of another version knows what it
// holds.
struct Snapshot {
  std::uint32_t size;     // sizeof(Snapshot) of the writer
  std::uint32_t version;  // kSnapshotVersion of the writer
  PoolMode mode;
  std::uint32_t pid;
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
  std::array<ClassSnapshot, kSnapshotClasses> classes;  // ascending by buffer_bytes
  // Misses by the built-in class of the size that was asked for (built_in_bytes()), whichever class
  // served them.
  std::array<std::uint64_t, kSnapshotClasses> sizes;
};

// Returns the bytes of a buffer of the built-in class of this number, which are the most that a
// request of Snapshot::sizes[number] asked for. Pre: number > 0.
constexpr std::uint64_t built_in_bytes(std::size_t number) noexcept {
  const std::size_t step = number + 3;
  return (std::uint64_t{step % 4 + 4} << (step / 4) << 6) + 64;
}

// Holds the figures that are the process's as a whole, where there is no room for a Snapshot.
struct ProcessFigures {
  PoolMode mode;
  std::uint32_t pid;
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
};

// Returns the counter `trimmer` as a state.
constexpr TrimmerState trimmer_state(const Snapshot& snapshot) noexcept {
  return static_cast<TrimmerState>(snapshot.trimmer);
}

}  // namespace bufpool
