// SPDX-License-Identifier: MIT
// The numbers that decisions hang on, each with its unit and where it comes from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::policy {

// Bytes. The most idle memory of a process whose limits are not known, and of one whose limits are
// wide: with 64 MiB Python's buffers of 1K..1M, which come back all the time, fault 2.6 times less
// often than with 8 MiB.
inline constexpr std::uint64_t kRetainMostByDefault = std::uint64_t{64} << 20;

// retention/: the budget of idle memory (Budget).
// Bytes. The budget that a process has without having earned any. With 8 MiB redis with changing
// value sizes is resident as much as with glibc; with 64 MiB it is not.
inline constexpr std::uint64_t kBudgetFloor = std::uint64_t{8} << 20;
// Milliseconds without a refault after which the budget is lowered, and between two steps down.
// Both are chosen, not measured: bursts that come every few seconds keep their pages.
inline constexpr std::uint32_t kBudgetCalmMs = 5000;
inline constexpr std::uint32_t kBudgetStepMs = 1000;
// Milliseconds for which memory pressure halves the budget. Chosen, not measured: longer than the
// 2 s of the kernel's window, so that pressure does not come and go with what is given back.
inline constexpr std::uint32_t kPressedMs = 30000;

// retention/: the rules (RetentionRules, Retention).
// Milliseconds that idle memory over the budget is kept for. The promise is "about a second": a
// burst that is repeated at once finds its pages.
inline constexpr std::uint32_t kGraceMs = 1000;
// Milliseconds between two passes: four in the time of grace.
inline constexpr std::uint32_t kPassMs = 250;
// Bytes. A get that needs fresh pages gives back so much at a time at least: 64 pages a system
// call.
inline constexpr std::uint64_t kLeastReclaim = std::uint64_t{256} << 10;
// Bytes that a forked child may fault in before it gives back what it shares with its parent. While
// the parent lives that frees nothing, and the child would have pages of records copied for it.
inline constexpr std::uint64_t kChildGrace = std::uint64_t{1} << 20;

// Bytes. No more idle spans are out of reach at a time while their pages go back, but for a span
// that is larger: a get that is refused memory waits for them. The number is chosen: the kernel
// takes some milliseconds for so many pages.
inline constexpr std::uint64_t kMostPurgedAtOnce = std::uint64_t{64} << 20;
// Milliseconds after which a get waits no longer for what other threads give back. One wait takes a
// second at most. Both together are less than the patience of a lock (kLockPatienceMs), because the
// get may be in a signal handler that interrupted the owner of one.
inline constexpr std::uint32_t kReturnsPatienceMs = 900;

// retention/: the warm-up.
// The share of the memory and of the address space that a process may use, one in so many, that
// BUFPOOL_WARMUP takes at most if BUFPOOL_RETAIN_MAX is not set: the program needs some, too.
inline constexpr std::uint64_t kWarmupShare = 2;

// retention/: the trimmer's thread (Trimmer).
// Bytes. Less idle memory never starts the thread: it is what any process keeps (kBudgetFloor).
inline constexpr std::uint64_t kThreadThreshold = kBudgetFloor;
// Bytes that move, and slow paths that are taken, between two sums of the idle bytes: half of the
// threshold, so that it is exceeded by half at most; and no more often than every 32nd slow path.
inline constexpr std::uint64_t kBytesPerLook = kThreadThreshold / 2;
inline constexpr std::uint64_t kEventsPerLook = 32;
// Passes in a row with less than so many bytes idle, after which the thread leaves: two seconds.
inline constexpr std::uint32_t kQuietPasses = 8;
inline constexpr std::uint64_t kLittleIdle = std::uint64_t{256} << 10;
// Milliseconds after which a thread that was refused is tried again. Chosen, not measured.
inline constexpr std::uint32_t kThreadAgainMs = 2000;
// Milliseconds that the end of the thread is waited for.
inline constexpr std::uint32_t kThreadPatienceMs = 1000;

// telemetry/: what is resident (Residence).
// Milliseconds for which the kernel is asked. Memory that it was not asked about by then counts as
// resident, so that a report of much memory does not hold up the exit.
inline constexpr std::uint64_t kResidencePatienceMs = 200;

// interpose/: address space for threads (ThreadSpace, scarce_space).
// A thread after the first may be given no more than an eighth of the address space that is left:
// the threads to come need their stacks.
inline constexpr std::size_t kThreadSpaceShare = 8;
// Small requests that a thread may make. They are pooled only if that many buffers take less
// address space than the allocator underneath sets aside for the thread.
inline constexpr std::size_t kThreadRequests = 4096;

// interpose/: the report at exit.
// Milliseconds for a report, from the wait for other processes to its last byte; and for its first
// byte at exit, where a pipe is full and nobody seems to read it: a script may run many programs.
inline constexpr int kReportPatienceMs = 1000;
inline constexpr int kReportPatienceToBeginMs = 60;
// Small requests outside the range that count as one for BUFPOOL_REPORT_MIN: every command makes
// some thousand.
inline constexpr std::uint64_t kSmallRequestsPerGet = 1000;
// Milliseconds for which lines on stderr may wait for room, in all the process's life.
inline constexpr int kMessagePatienceMs = 1000;

// The numbers of sync/, addresses/, runs/, state/, mapping/, purging/ and spans/.

// Milliseconds. How long a thread waits for one and the same owner of a lock. Nothing slow is done
// under a lock, so an owner that holds it for this long is stopped, or it is gone and its process
// id does not tell. The number is chosen: far more than a scheduler keeps a thread waiting, and
// little enough for a program to go on.
inline constexpr std::uint64_t kLockPatienceMs = 2000;

// Milliseconds. How long a refusal of memory is remembered. It is chosen: short enough for a
// program that has made room to find the pool at work again soon, and long enough that a program at
// a limit does not pay a system call for each request.
inline constexpr std::uint32_t kRefusalMs = 100;

// Bytes. The pages of a class are mapped in steps of a quarter of what the class has mapped,
// between these two. The least is four spans of 64 KiB, which spares system calls in small classes.
// The most bounds what one step makes resident under mlockall.
inline constexpr std::size_t kLeastMapBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMostMapBytes = std::size_t{32} << 20;

// One part in so many. A step of growth (pages of a class, chunks of a run) is this share of what
// the class has, so that never more than a quarter is there in advance.
inline constexpr std::size_t kGrowthShare = 4;

// Bytes. A class whose spans are at most as large takes its chunks one by one, so that they become
// empty again. A class with larger spans takes more at a time, because few such spans fit into one
// chunk or two, and much of those would stay unused.
inline constexpr std::size_t kMostSpanOfOneChunk = std::size_t{256} << 10;

// Chunks of 4 MiB. The most that one run takes, unless one span needs more.
inline constexpr std::size_t kMostRunChunks = 16;

// Chunks of 4 MiB. The least of a run with huge pages, because what is left at the end of a run is
// no whole huge page.
inline constexpr std::size_t kLeastHugeRunChunks = 4;

// Number of places. If something of the program's is mapped where the next run would be, the next
// place is tried at once, but after so many a refusal is remembered. A program that has mapped
// terabytes would else pay a system call for each of thousands of places in one request.
inline constexpr std::uint32_t kOccupiedAtOnce = 8;

// Number of blocks. So many blocks of a span that have no pages are passed over in the search for
// one that has pages.
inline constexpr std::uint32_t kBlocksPassedOver = 4;

// Milliseconds. Pages that went back and are needed again within this time should have been kept.
// The budget grows by them.
inline constexpr std::uint32_t kRegretMs = 4000;

// Bytes. A class that has less mapped has no huge pages: two of them would be all it has.
inline constexpr std::size_t kLeastHugeClassBytes = std::size_t{4} << 20;

// One byte in so many. A class with huge pages keeps this share in small pages. It is the proof
// that the class is still dense: only small pages show what the program touched.
inline constexpr std::size_t kProofShare = 16;

// A fraction. A run is dense if four fifths of its pages are resident. A size class is at most a
// quarter larger than what is asked of it, so a run of buffers that are all written is four fifths
// full.
inline constexpr std::size_t kDenseNumerator = 4;
inline constexpr std::size_t kDenseDenominator = 5;

// Pieces and pages. A run is looked at in so many pieces that lie evenly over it, of so many pages
// at most each. So the look takes as many system calls whatever the length of the run is.
inline constexpr std::size_t kLookPieces = 16;
inline constexpr std::size_t kLookPages = 64;

// Bytes. An eighth of a huge page. Less is not worth the split of a huge page, nor to be without
// one. One free value in each 2 MiB of a redis would else split all its huge pages.
inline constexpr std::size_t kLeastHugeGain = std::size_t{256} << 10;

// Misses, lending and realloc.

// Bytes. So much may be lent without a look at the budget: it is no more than a burst's first
// spans, and the look learns the limits of the process, which takes a dozen system calls.
inline constexpr std::uint64_t kLentFreely = std::uint64_t{4} << 20;

// Part of the most idle memory worth keeping. So much may be lent: the other half is for what is
// idle.
inline constexpr std::uint64_t kLentPartOfBudget = 2;

// Bytes, of the class. Smaller classes borrow nothing: their blocks are a few pages, whose faults
// cost less than the look. From 16 KiB up redis with changing value sizes kept 1.04 of what glibc
// keeps, and from 32 KiB up 1.01.
inline constexpr std::size_t kLeastBorrowed = 32 << 10;

// Classes above its own that a class borrows from: four are one doubling. 64 live bytearrays of
// 1K..1M took 17,900 page faults with none, 9,700 with two and 8,600 with four.
inline constexpr std::uint32_t kBorrowFromClasses = 4;

// Gets in a row that a class borrows for, per page of its block, before it gets pages of its own:
// a borrowed get costs some 15 ns, the fault of a page some 500.
inline constexpr std::uint32_t kBorrowsPerPage = 32;

// Bytes. Larger free buffers are given back instead of wiped: to fault in 1 MiB takes no longer
// than to write it, and much of a large buffer may never have been touched.
inline constexpr std::size_t kLeastPurgedToWipe = 1 << 20;

// Bytes. Contents from this size on are moved by their pages: fewer are copied as fast as their
// pages are moved or given back.
inline constexpr std::size_t kLeastMoved = 1 << 20;

// A buffer stays where it is until it holds less than 1 / kLeastPartHeld of what it could. A
// growing one stays until it holds less than 1 / kLeastPartHeldGrowing of what it held, as it is
// likely to grow again.
inline constexpr std::size_t kLeastPartHeld = 2;
inline constexpr std::size_t kLeastPartHeldGrowing = 4;

// Buffers that grew for the first time. After so many, what was learned before the last half of
// them is forgotten: a program's phases are longer.
inline constexpr std::uint32_t kGrowthWindow = 1024;

// Buffers. So many that grew again prove nothing.
inline constexpr std::uint32_t kGrowthDoubt = 4;

// The least room for a buffer that is likely to grow again, in sizes of the buffer: two doublings.
inline constexpr std::size_t kLeastRoomToGrow = 4;

// The CPUs' caches (pool/percpu/).

// Bytes. A CPU's part of the budget is at least this: a cache with less is hardly one. More than
// 256 caches hold more than the default budget by it.
inline constexpr std::uint64_t kCpuCacheLeast = std::uint64_t{256} << 10;

// Bytes. A CPU's part of the budget is a whole number of these, as the reports tell it, and a user
// may write it as BUFPOOL_CPU_CACHE.
inline constexpr std::uint64_t kCpuCacheUnit = 4096;

// Quarters of a stack's limit. A refill fills no more, and an overflow takes no more. With three
// and not two, blocks that go from thread to thread through a ring took 23.4 ns and not 29.4
// (4 KiB), and 107 and not 129 (64 KiB).
inline constexpr std::uint32_t kQuartersMoved = 3;

// A divisor. A limit grows by this part of itself, and at least by a batch. Log-uniform sizes of 1K
// to 1M took 0.90 of the best peer's time when limits doubled, and 0.83 since they do not.
inline constexpr std::uint32_t kLimitGrowthDivisor = 4;

// Bytes. Blocks that go to the cache are noted as zero from this size up. The note faults a page
// in, and smaller blocks are wiped for less. It is an estimate.
inline constexpr std::uint64_t kLeastNotedInCache = std::uint64_t{16} << 10;

// A number. So many times a forked child takes no stack's limit away in favour of another stack. It
// is an estimate of what a child needs that lives no longer than to its exec.
inline constexpr std::uint32_t kChildSpares = 64;

}  // namespace bufpool::policy
