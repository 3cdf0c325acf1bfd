// SPDX-License-Identifier: MIT
// The layout of the statistics page: the shared memory in which a process keeps its figures, for
// readers outside of it and for those who come after its death. docs/statistics-page.md says who
// may read it and what holds. Leaf: this header and counters.def are all that a reader needs.
//
// The page describes itself. A reader finds each area by the header's offsets and each figure by
// the directory of fields, so that it reads pages of other versions, too. A new major version
// changes what is said here; a new minor version adds fields or words at the ends of records.
// All numbers are in the byte order of the machine. All offsets are counted from the page's start.
//
// A class's figure is computed from words of its row and of its stacks:
//   value = row[at] - row[less_at]
//         + unit * (per_hit * hits + per_depth * depth + per_moved * moved) + per_asked * asked
// where `unit` is 1, or the row's stride_bytes where by_stride is 1; all of it modulo 2^64. Hits,
// depth, moved and asked are sums over the class's stack in all shards. Then the figure is raised
// to that of field at_least, and lowered to that of field at_most, where there are such.
// A process's figure is process[at].
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

inline constexpr char kStatsMagic[8] = {'B', 'U', 'F', 'P', 'O', 'O', 'L', '\0'};
inline constexpr std::uint16_t kStatsMajor = 2;
inline constexpr std::uint16_t kStatsMinor = 3;
inline constexpr std::uint32_t kStatsByteOrder = 0x01020304;
// The mapping's name in /proc/PID/maps is /memfd:bufpool-stats (deleted).
inline constexpr char kStatsName[] = "bufpool-stats";

// Says where an area of records of one size is.
struct StatsArea {
  std::uint32_t at;      // where the first record begins
  std::uint32_t count;   // of records
  std::uint32_t stride;  // bytes from one record to the next
};

// Begins the page. It does not change once `ready` is kStatsReady, but for `sequence`.
struct StatsHeader {
  char magic[8];
  std::uint16_t major;
  std::uint16_t minor;
  std::uint32_t byte_order;
  std::uint32_t header_bytes;  // sizeof(StatsHeader) of the writer
  std::uint32_t page_bytes;    // of the whole page
  std::uint32_t ready;         // written last
  // Odd while the words of the process are written. A reader copies them, and tries again if it was
  // odd or has changed meanwhile. It stays odd where the process was killed in the middle.
  std::uint32_t sequence;
  std::uint32_t process;      // where the StatsProcess begins
  std::uint32_t control;      // where the StatsControl begins
  StatsArea fields;           // StatsField
  StatsArea rows;             // StatsRow, per class
  StatsArea shards;           // per CPU, or per lock: a StatsStack for each class, 0 if not used
  std::uint32_t stack_bytes;  // sizeof(StatsStack) of the writer
  StatsArea options;          // text: NAME, source and value of each, a line each, tabs in between
  std::uint32_t pid;          // as the process sees itself
  std::uint32_t parent_pid;
  std::uint32_t mode;        // a PoolMode
  std::uint64_t started_ns;  // when the page was made: since 1970,
  std::uint64_t boot_ns;     // and since the machine started (CLOCK_BOOTTIME)
  char version[32];          // of the library; texts end with a zero
  char command[64];
  char control_group[256];  // empty where the page has no file name: see /proc/PID/cgroup
  // Shards whose stacks are in no record, as the kernel refused: figures lack what these did.
  std::uint32_t shards_elsewhere;
  std::uint32_t stacks_at;  // where in a shard its first StatsStack begins
  // Where the page has a file name, these tell the process from all that ever had its number: when
  // it began, in clock ticks since the machine started, and the inode of its PID namespace. 0: not
  // known. They are there since minor version 1.
  std::uint64_t process_started;
  std::uint64_t pid_namespace;
  // How many CPUs' caches share what is kept, as far as was known when the page was made. 0: not
  // known. It is there since minor version 2.
  std::uint32_t caches;
  // A word for each built-in class: misses that asked for a size of it, whichever class served
  // them. The record numbered N is of sizes up to ((N + 3) % 4 + 4) * 2^((N + 3) / 4 + 6) + 64
  // bytes. It is there since minor version 2.
  StatsArea sizes;
  // Where the samples are (BUFPOOL_SAMPLE). All is 0 where nothing is sampled. They are there since
  // minor version 3: in a page of an earlier one the header ends in front of them.
  std::uint32_t sampling;     // where the StatsSampling begins
  StatsArea sampled_stacks;   // StatsSampledStack; the first one is for all that have none
  StatsArea sampled_buffers;  // StatsSampledBuffer
  StatsArea sampled_sizes;    // StatsSampledSize, for each built-in class as in `sizes`
};
inline constexpr std::uint32_t kStatsReady = 1;
// The header of all minor versions has so many bytes at least.
inline constexpr std::size_t kStatsLeastHeader = 512;
static_assert(offsetof(StatsHeader, fields) == 40 && offsetof(StatsHeader, options) == 80);
static_assert(offsetof(StatsHeader, sampling) == kStatsLeastHeader);
static_assert(sizeof(StatsHeader) == 552);

enum class StatsKind : std::uint8_t { kCounter, kGauge, kPeak };
enum class StatsScope : std::uint8_t { kProcess, kClass };

// Describes one figure.
struct StatsField {
  char name[24];  // as in counters.def
  char unit[12];
  StatsKind kind;
  StatsScope scope;
  std::int8_t per_hit;
  std::int8_t per_depth;
  std::int8_t per_moved;
  std::int8_t per_asked;
  std::uint8_t by_stride;
  std::uint8_t at_least;  // number of another field of the class, and 1; 0: none
  std::uint8_t at_most;   // the same
  std::uint8_t unused[3];
  std::uint32_t at;       // offset in StatsRow, or in StatsProcess
  std::uint32_t less_at;  // offset in StatsRow; 0: none
  std::uint8_t unused_too[8];
};
static_assert(sizeof(StatsField) == 64);

// Holds a class's words. Those that the class's lock guards have the sequence. In a forked child,
// what the parent had counted is subtracted from them.
struct StatsRow {
  std::uint32_t sequence;  // odd while the row is written, as that of the header
  std::uint32_t unused;
  std::uint64_t buffer_bytes;  // what a program may write; 0: the class was never used
  std::uint64_t stride_bytes;  // from one buffer of the class to the next
  std::uint64_t roomy;         // bytes of `granted` that are room to grow
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
};
static_assert(sizeof(StatsRow) / sizeof(std::uint64_t) == 4 + 24,
              "a new counter is a new minor version");

// Holds the process's words.
struct StatsProcess {
  std::uint64_t looked_ns;  // when `retained` was found out (CLOCK_BOOTTIME); 0: never
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) std::uint64_t name;
#include "pool/telemetry/counters.def"
};
static_assert(sizeof(StatsProcess) / sizeof(std::uint64_t) == 1 + 14,
              "a new counter is a new minor version");

// Holds a class's stack on one CPU. These are the very words that the process works with, so they
// are right to one operation whenever it is killed. The stack holds as many blocks as its top lies
// above its bottom.
struct StatsStack {
  std::uint64_t header;  // {hits:48, top:16}
  std::uint64_t moved;   // blocks that came without a put, less those that went without a get
  std::uint64_t asked;   // bytes asked for by the hits
  std::uint32_t limit;   // the highest top; 0: no block may come
  std::uint32_t bottom;  // 0: the stack was never used
};
inline constexpr std::uint64_t kStatsTopMask = 0xffff;
inline constexpr unsigned kStatsHitsShift = 16;
static_assert(sizeof(StatsStack) == 32);

// A shard has a page of memory. Its stacks do not begin on the page's first line: a load of a hit
// waits for the store before it whose address has the same low 12 bits, and many a block begins a
// page, as its mark does. On the second line pairs of 1 KiB took 1.03 of the time that they take on
// any later one.
inline constexpr std::size_t kStatsStacksAt = 128;

// Holds what concerns all samples. Each word of samples is right by itself at any time, but several
// of a record that is being written may not fit together. A forked child goes on from what its
// parent had sampled.
struct StatsSampling {
  std::uint64_t every;    // bytes asked for between two samples, on average
  std::uint64_t dropped;  // samples that no record was free for: they are counted nowhere else
};

// Holds what is sampled of the buffers that came by the same calls. Those of them that are held now
// are `gets` less `puts`.
inline constexpr std::size_t kStatsFrames = 32;
struct StatsSampledStack {
  std::uint64_t hash;       // of the frames; 0: the record is not used
  std::uint64_t gets;       // buffers sampled,
  std::uint64_t bytes;      // and what was asked for by them
  std::uint64_t puts;       // those of them that came back,
  std::uint64_t put_bytes;  // and what was asked for by these
  std::uint64_t held_ns;    // how long they were held, all together
  std::uint64_t longest_ns;
  std::uint64_t depth;                 // how many frames there are; 0: not known
  std::uint64_t frames[kStatsFrames];  // return addresses, the innermost call first
};
static_assert(sizeof(StatsSampledStack) == 320);

// Describes a sampled buffer that is held now.
struct StatsSampledBuffer {
  std::uint64_t block;     // the block's address, in front of the buffer; below 4096: no buffer
  std::uint64_t asked;     // bytes
  std::uint64_t taken_ns;  // when it was handed out (CLOCK_MONOTONIC)
  std::uint64_t stack;     // the number of its StatsSampledStack
};
static_assert(sizeof(StatsSampledBuffer) == 32);

// Counts samples of the sizes of one built-in class.
struct StatsSampledSize {
  std::uint64_t gets;
  std::uint64_t bytes;
};

// Tells the library what to do. Whoever may write to the process's
// memory sets `verbs`, then `request` to another number. The library looks at them on slow paths
// and in its thread, does what it knows, and answers in `refused` and `done`.
struct StatsControl {
  std::uint32_t verbs;
  std::uint32_t request;
  std::uint32_t refused;  // those of the verbs that it does not know, or cannot do
  std::uint32_t done;     // the request that was answered last
};
inline constexpr std::uint32_t kStatsTrim = 1;        // give all idle memory back
inline constexpr std::uint32_t kStatsResetPeaks = 2;  // peaks are what is in use now
inline constexpr std::uint32_t kStatsReport = 4;      // append a report to the file of the reports
inline constexpr std::uint32_t kStatsLook = 8;        // find out what is retained
static_assert(sizeof(StatsControl) == 16);

}  // namespace bufpool
