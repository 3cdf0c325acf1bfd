// SPDX-License-Identifier: MIT
// Holds the numbers that decisions hang on, each with its unit and where it comes from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::policy {

// This is the most idle memory, in bytes, of a process whose limits are not known, and of one whose
// limits are wide. With 64 MiB Python's buffers of 1K..1M, which come back all the time, fault 2.6
// times less often than with 8 MiB.
inline constexpr std::uint64_t kRetainMostByDefault = std::uint64_t{64} << 20;

// The most idle memory is one part in so many of the memory limit, where that is less. The CPUs'
// caches and spans that are partly used come on top for some milliseconds. A program that held 40
// MB, of other sizes each time, in a group of 64 MiB was killed in 4 of 5 runs with a divisor of 4:
// up to 65 MiB were resident then, and up to 58 are now.
inline constexpr std::uint64_t kLimitDivisor = 8;

// The next numbers are for the budget of idle memory (Budget, in retention/).

// A process has a budget of so many bytes without having earned any. With 8 MiB redis with changing
// value sizes is resident as much as with glibc; with 64 MiB it is not.
inline constexpr std::uint64_t kBudgetFloor = std::uint64_t{8} << 20;
// One part in so many of what is in use is a budget that need not be earned, either, where that is
// more: a program that replaces buffers at random has as many idle at any time.
inline constexpr std::uint64_t kBudgetInUseDivisor = 16;
// These are the milliseconds without a refault after which the budget is lowered, and those between
// two steps down. Both are chosen, not measured: bursts that come every few seconds keep their
// pages.
inline constexpr std::uint32_t kBudgetCalmMs = 5000;
inline constexpr std::uint32_t kBudgetStepMs = 1000;
// Memory pressure halves the budget for so many milliseconds. The number is chosen, not measured.
// It is longer than the 2 s of the kernel's window, so that pressure does not come and go with what
// is given back.
inline constexpr std::uint32_t kPressedMs = 30000;

// The next numbers are for the rules of retention (RetentionRules, Retention).

// Idle memory over the budget is kept for so many milliseconds. The promise is "about a second": a
// burst that is repeated at once finds its pages.
inline constexpr std::uint32_t kGraceMs = 1000;
// So many milliseconds lie between two passes: four passes fit into the time of grace.
inline constexpr std::uint32_t kPassMs = 250;
// While fresh pages are needed, idle memory in the CPUs' caches and in partly used spans is looked
// at after so many milliseconds, if all that is idle is over the budget by one part in so many of
// it. What lies there for as long goes back. A program with 20 MB live that went on to other sizes
// every 100 ms had 160 to 190 MB resident without this, where the budget is 64.
inline constexpr std::uint32_t kScatteredMs = 10;
inline constexpr std::uint64_t kScatteredDivisor = 8;
// A get that needs fresh pages gives back so many bytes at a time at least: 64 pages a system call.
inline constexpr std::uint64_t kLeastReclaim = std::uint64_t{256} << 10;
// A forked child may fault in so many bytes before it gives back what it shares with its parent.
// While the parent lives that frees nothing, and the child would have pages of records copied for
// it.
inline constexpr std::uint64_t kChildGrace = std::uint64_t{1} << 20;

// No more bytes of idle spans are out of reach at a time while their pages go back, but for a span
// that is larger: a get that is refused memory waits for them. The number is chosen: the kernel
// takes some milliseconds for so many pages.
inline constexpr std::uint64_t kMostPurgedAtOnce = std::uint64_t{64} << 20;
// After so many milliseconds a get waits no longer for what other threads give back. One wait takes
// a second at most. Both together are less than the patience of a lock (kLockPatienceMs), because
// the get may be in a signal handler that interrupted the owner of one.
inline constexpr std::uint32_t kReturnsPatienceMs = 900;

// The next number is for the warm-up.

// BUFPOOL_WARMUP takes at most one part in so many of the memory and of the address space that a
// process may use, if BUFPOOL_RETAIN_MAX is not set: the program needs some, too.
inline constexpr std::uint64_t kWarmupShare = 2;

// The next numbers are for the trimmer's thread (Trimmer).

// Fewer idle bytes never start the thread: any process keeps so many (kBudgetFloor).
inline constexpr std::uint64_t kThreadThreshold = kBudgetFloor;
// The idle bytes are summed up after so many bytes have moved, and no more often than every 32nd
// slow path. The bytes are half of the threshold, so that it is exceeded by half at most.
inline constexpr std::uint64_t kBytesPerLook = kThreadThreshold / 2;
inline constexpr std::uint64_t kEventsPerLook = 32;
// The thread leaves after so many passes in a row with fewer than so many idle bytes. That is after
// two seconds.
inline constexpr std::uint32_t kQuietPasses = 8;
inline constexpr std::uint64_t kLittleIdle = std::uint64_t{256} << 10;
// A thread that was refused is tried again after so many milliseconds. The number is chosen, not
// measured.
inline constexpr std::uint32_t kThreadAgainMs = 2000;
// The end of the thread is waited for so many milliseconds. A pass over much idle memory on a busy
// machine took more than one second, and the output of a program was lost whose main thread waited
// no longer than that.
inline constexpr std::uint32_t kThreadPatienceMs = 30'000;

// The next number is for asking what is resident (Residence, in telemetry/).

// The kernel is asked for so many milliseconds. Memory that it was not asked about by then counts
// as resident, so that a report of much memory does not hold up the exit.
inline constexpr std::uint64_t kResidencePatienceMs = 200;

// The next numbers are for the address space for threads (scarce_space, in interpose/).

// A thread after the first may be given no more than an eighth of the address space that is left:
// the threads to come need their stacks.
inline constexpr std::size_t kThreadSpaceShare = 8;

// Under a limit the first thread gets what mimalloc sets aside for a thread, if so many bytes are
// left after that: room for two threads' stacks. A Python that needs 15 MiB failed under 47 to 51
// MB of addresses where the first thread got it whatever was left.
inline constexpr std::size_t kLeftByFirstThread = std::size_t{16} << 20;

// A thread may make so many small requests. They are pooled only if that many buffers take less
// address space than the allocator underneath sets aside for the thread.
inline constexpr std::size_t kThreadRequests = 4096;
// The pool serves so many small requests before the allocator underneath is asked again that had no
// memory, or no share for a thread. The number is chosen: to ask it takes some tens of
// microseconds, and that many buffers of 576 bytes take little of the memory that may have come
// free meanwhile.
inline constexpr std::uint32_t kRequestsPerRefusal = 1024;

// The next numbers are for the report at exit (interpose/).

// A report may take so many milliseconds, from the wait for other processes to its last byte. At
// exit its first byte may take fewer, where a pipe is full and nobody seems to read it: a script
// may run many programs.
inline constexpr int kReportPatienceMs = 1000;
inline constexpr int kReportPatienceToBeginMs = 60;
// Lines on stderr may wait for room for so many milliseconds, in all the process's life.
inline constexpr int kMessagePatienceMs = 1000;

// The next numbers are those of sync/, addresses/, runs/, state/, mapping/, pages/ and spans/.

// A thread waits for one and the same owner of a lock for so many milliseconds. Nothing slow is
// done under a lock, so an owner that holds it for this long is stopped, or it is gone and its
// process id does not tell. The number is chosen: far more than a scheduler keeps a thread waiting,
// and little enough for a program to go on.
inline constexpr std::uint64_t kLockPatienceMs = 2000;
// A fork waits this many pauses of the processor, some 50 us, for a thread that drains a CPU's
// cache. The number is chosen: a drain of a few hundred blocks takes as long. After that the forked
// child does without the blocks of that cache.
inline constexpr std::uint32_t kSpinsForDrain = 1000;

// A forked child of a process with a statistics page makes a page of its own, and uses the caches
// that it has from its parent, from the miss with this number on. A put that goes the slow way
// counts, too. The number is chosen: so many misses cost some 15 us, and a page costs 75 to 130 us
// with all that the kernel does for it in the child's life.
inline constexpr std::uint32_t kMissesOfChild = 128;

// A refusal of memory is remembered for so many milliseconds. The number is chosen: short enough
// for a program that has made room to find the pool at work again soon, and long enough that a
// program at a limit does not pay a system call for each request.
inline constexpr std::uint32_t kRefusalMs = 100;

// The pages of a class are mapped in steps of a quarter of what the class has mapped, between these
// two numbers of bytes. The least is four spans of 64 KiB, which spares system calls in small
// classes. The most bounds what one step makes resident under mlockall.
inline constexpr std::size_t kLeastMapBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMostMapBytes = std::size_t{32} << 20;

// A step of growth (pages of a class, chunks of a run) is one part in so many of what the class
// has, so that never more than a quarter is there in advance.
inline constexpr std::size_t kGrowthShare = 4;

// A class whose spans have so many bytes at most takes its chunks one by one, so that they become
// empty again. A class with larger spans takes more at a time, because few such spans fit into one
// chunk or two, and much of those would stay unused.
inline constexpr std::size_t kMostSpanOfOneChunk = std::size_t{256} << 10;

// One run takes so many chunks of 4 MiB at most, unless one span needs more.
inline constexpr std::size_t kMostRunChunks = 16;

// A run with huge pages has so many chunks of 4 MiB at least, because what is left at the end of a
// run is no whole huge page.
inline constexpr std::size_t kLeastHugeRunChunks = 4;

// If something of the program's is mapped where the next run would be, the next place is tried at
// once, but after so many a refusal is remembered. A program that has mapped terabytes would else
// pay a system call for each of thousands of places in one request.
inline constexpr std::uint32_t kOccupiedAtOnce = 8;

// So many blocks of a span that have no pages are passed over in the search for one that has pages.
inline constexpr std::uint32_t kBlocksPassedOver = 4;

// Pages that went back and are needed again within so many milliseconds should have been kept. The
// budget grows by them.
inline constexpr std::uint32_t kRegretMs = 4000;

// A class that has fewer bytes mapped has no huge pages: two of them would be all it has.
inline constexpr std::size_t kLeastHugeClassBytes = std::size_t{4} << 20;

// A class with huge pages keeps one byte in so many in small pages. They are the proof that the
// class is still dense: only small pages show what the program touched.
inline constexpr std::size_t kProofShare = 16;

// A run is dense if four fifths of its pages are resident. A size class is at most a quarter larger
// than what is asked of it, so a run of buffers that are all written is four fifths full.
inline constexpr std::size_t kDenseNumerator = 4;
inline constexpr std::size_t kDenseDenominator = 5;

// A run is looked at in so many pieces that lie evenly over it, and each piece has so many pages at
// most. So the look takes as many system calls whatever the length of the run is.
inline constexpr std::size_t kLookPieces = 16;
inline constexpr std::size_t kLookPages = 64;

// Fewer bytes, an eighth of a huge page, are not worth the split of a huge page, nor to be without
// one. One free value in each 2 MiB of a redis would else split all its huge pages.
inline constexpr std::size_t kLeastHugeGain = std::size_t{256} << 10;

// The next numbers are for misses, lending and realloc.

// So many bytes may be lent without a look at the budget: it is no more than a burst's first spans,
// and the look learns the limits of the process, which takes a dozen system calls.
inline constexpr std::uint64_t kLentFreely = std::uint64_t{4} << 20;

// One part in so many of the most idle memory worth keeping may be lent: the other half is for what
// is idle.
inline constexpr std::uint64_t kLentPartOfBudget = 2;

// Classes of fewer bytes borrow nothing: their blocks are a few pages, whose faults cost less than
// the look. From 16 KiB up redis with changing value sizes kept 1.04 of what glibc keeps, and from
// 32 KiB up 1.01.
inline constexpr std::size_t kLeastBorrowed = 32 << 10;

// A class borrows from so many classes above its own: four are one doubling. 64 live bytearrays of
// 1K..1M took 17,900 page faults with none, 9,700 with two and 8,600 with four.
inline constexpr std::uint32_t kBorrowFromClasses = 4;

// A class borrows for so many gets in a row, for each page of its block, before it gets pages of
// its own: a borrowed get costs some 15 ns, the fault of a page some 500.
inline constexpr std::uint32_t kBorrowsPerPage = 32;

// Free buffers of so many bytes and more are given back instead of wiped: to fault in 1 MiB takes
// no longer than to write it, and much of a large buffer may never have been touched.
inline constexpr std::size_t kLeastPurgedToWipe = 1 << 20;

// Pages of so many bytes and more are looked at before they are written with zeros. The look takes
// some 5 us where 2 MiB in the CPU's cache take 50 to write. Their first touch takes 500.
inline constexpr std::size_t kLeastLookedAtToClear = 2 << 20;

// Contents of so many bytes and more are moved by their pages: fewer are copied as fast as their
// pages are moved or given back.
inline constexpr std::size_t kLeastMoved = 1 << 20;

// A buffer stays where it is until it holds less than 1 / kLeastPartHeld of what it could. A
// growing one is likely to grow again: it stays until it holds less than 1 / kLeastPartHeldGrowing
// of what it held, while what it keeps may be lent to it. 20,000 buffers that grew to 16,000 bytes
// and shrank to 4,100 were resident with 397 MiB, not 110, where nothing bounded what they kept.
inline constexpr std::size_t kLeastPartHeld = 2;
inline constexpr std::size_t kLeastPartHeldGrowing = 4;

// After so many buffers that grew for the first time, what was learned before the last half of them
// is forgotten: a program's phases are longer.
inline constexpr std::uint32_t kGrowthWindow = 1024;

// So many buffers that grew again prove nothing.
inline constexpr std::uint32_t kGrowthDoubt = 4;

// A buffer that is likely to grow again gets room of so many times its size at least: two
// doublings.
inline constexpr std::size_t kLeastRoomToGrow = 4;

// The next numbers are for the CPUs' caches (pool/percpu/).

// A CPU's part of the budget is so many bytes at least: a cache with less is hardly one. More than
// 256 caches hold more than the default budget by it.
inline constexpr std::uint64_t kCpuCacheLeast = std::uint64_t{256} << 10;

// A CPU's part of the budget is a multiple of so many bytes, as the reports tell it, and a user may
// write it as BUFPOOL_CPU_CACHE.
inline constexpr std::uint64_t kCpuCacheUnit = 4096;

// A refill fills no more than so many quarters of a stack's limit, and an overflow takes no more.
// With three and not two, blocks that go from thread to thread through a ring took 23.4 ns and not
// 29.4 (4 KiB), and 107 and not 129 (64 KiB).
inline constexpr std::uint32_t kQuartersMoved = 3;

// A limit grows by one part in so many of itself, and at least by a batch. Log-uniform sizes of 1K
// to 1M took 0.90 of the best peer's time when limits doubled, and 0.83 since they do not.
inline constexpr std::uint32_t kLimitGrowthDivisor = 4;

// Blocks of so many bytes and more that go to the cache are noted as zero. The note faults a page
// in, and smaller blocks are wiped for less. It is an estimate.
inline constexpr std::uint64_t kLeastNotedInCache = std::uint64_t{16} << 10;

// So many times a forked child takes no stack's limit away in favour of another stack. It is an
// estimate of what a child needs that lives no longer than to its exec.
inline constexpr std::uint32_t kChildSpares = 64;

}  // namespace bufpool::policy
