// SPDX-License-Identifier: MIT
#include "pool/buffer_pool.h"

#include "pool/backing/backing.h"
#include "pool/pages/zeroing.h"
#include "pool/platform/process.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {
namespace {

PoolMode wanted_mode(const Options& options) noexcept {
  const bool locked = options.mode == ModeChoice::kLocked;
  return locked ? PoolMode::kLocked : PoolMode::kRseq;
}

}  // namespace

bool BufferPool::open(const Options& options) noexcept {
  sizes_.choose(options);
  OwnerLock::enter_process();
  if (options.disable || !space_.open()) return false;
  // If BUFPOOL_TRIMMER says what is wanted, no file is read after the start.
  const bool may_read = options.trimmer == TrimmerChoice::kAuto;
  space_.huge_pages().open(options.hugepages, may_read);
  zero_ = options.zero;
  const Cookies cookies(platform::process_secret(), zero_ == ZeroChoice::kFree);
  const std::uint64_t no_limit = SharedSpans::kNoLimit;
  spans_.open(&space_, options.max_buffers != 0 ? options.max_buffers : no_limit);
  mode_ = cache_.open(wanted_mode(options), options.cpu_cache, spans_.data(), cookies);
  if (mode_ == PoolMode::kPassThrough) return false;
  const BlockMarks marks(cookies);
  retention_.open(options, spans_.data(), &cache_, &returns_);
  trimmer_.open(options, &retention_);
  stats_.open({.cache = &cache_,
               .spans = spans_.data(),
               .space = &space_,
               .retention = &retention_,
               .trimmer = &trimmer_,
               .sampler = &sampler_,
               .at_fork = &at_fork_});
  lending_.open(&retention_, marks);
  connect_paths();
  sizes_.open();
  // Where samples were asked for and are refused, gets take the short way.
  const bool samples = options.sample != 0 && sampler_.open(options.sample, &tables_);
  const bool all_slow = samples || zero_ == ZeroChoice::kAlloc;
  tables_.open(sizes_, all_slow ? SizeRange{} : sizes_.range(), space_.range(), marks);
  return true;
}

void BufferPool::connect_paths() noexcept {
  check_.open({.tables = &tables_, .sizes = &sizes_, .spans = &spans_, .cache = &cache_});
  altered_.open({.tables = &tables_, .spans = &spans_}, zero_);
  miss_path_.open({.tables = &tables_,
                   .sizes = &sizes_,
                   .cache = &cache_,
                   .spans = &spans_,
                   .retention = &retention_,
                   .trimmer = &trimmer_,
                   .lending = &lending_,
                   .stats = &stats_,
                   .returns = &returns_,
                   .mappings = &space_.mappings()});
  free_path_.open({.tables = &tables_,
                   .sizes = &sizes_,
                   .check = &check_,
                   .altered = &altered_,
                   .sampler = &sampler_,
                   .cache = &cache_,
                   .spans = &spans_,
                   .trimmer = &trimmer_,
                   .lending = &lending_,
                   .stats = &stats_,
                   .predictor = &predictor_},
                  zero_);
  page_move_.open({.tables = &tables_, .check = &check_, .altered = &altered_, .spans = &spans_});
  resize_.open({.tables = &tables_,
                .sizes = &sizes_,
                .check = &check_,
                .spans = &spans_,
                .lending = &lending_,
                .stats = &stats_,
                .predictor = &predictor_,
                .miss_path = &miss_path_,
                .free_path = &free_path_,
                .page_move = &page_move_,
                .sampler = &sampler_},
               zero_);
}

void* BufferPool::take_zeroed(std::size_t size, const void* caller) noexcept {
  const ClassIndex c = sizes_.class_for(size);
  const auto ask = [size] { return backing::allocate_zeroed(size); };
  const auto [block, passed] =
      miss_path_.serve(c, miss_path_.take_block(size, size, caller), size, ask);
  if (block == kNoBlock) return passed;
  const bool known_zero = tables_.marks().state(block) == BlockState::kKnownZero;
  void* const buffer = miss_path_.hand_out(block, c);
  // If all memory is handed out as zero, the part that realloc may add in place is zero, too.
  const bool whole = zero_ == ZeroChoice::kAlloc;
  if (!known_zero) {
    const auto start = reinterpret_cast<std::uintptr_t>(buffer);
    clear(start, start + (whole ? buffer_bytes(tables_.class_of(block)) : size));
  }
  sampler_.note_get(block, size);
  return buffer;
}

// Buffers that are wiped on the way out are zero to their ends. All others are as they come.
void* BufferPool::take_slowly(std::size_t size, const void* caller) noexcept {
  if (zero_ == ZeroChoice::kAlloc) return take_zeroed(size, caller);
  void* const buffer = take(size, KnownCaller{caller});
  if (owns(buffer)) sampler_.note_get(block_of_whole(buffer), size);
  return buffer;
}

// Pre: the buffer starts at the start of its block.
Block BufferPool::block_of_whole(const void* buffer) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer);
  return block_of_buffer(address, tables_.gap_of_class(tables_.class_number(address)));
}

void* BufferPool::take_aligned(std::size_t alignment, std::size_t size,
                               const void* caller) noexcept {
  if (alignment <= 16) return take_slowly(size, caller);
  const std::size_t whole = ServedSizes::bytes_to_align(alignment, size);
  const auto aligned = [=] { return backing::allocate_aligned(alignment, size); };
  if (!sizes_.serves(whole)) return backing::keeping_errno(aligned);
  const MissPath::Got got = miss_path_.take_block(whole, size, caller);
  const auto [block, passed] = miss_path_.serve(sizes_.class_for(whole), got, size, aligned);
  if (block == kNoBlock) return passed;
  tables_.marks().mark_in_use(block);
  const ClassIndex c = tables_.class_of(block);
  const std::size_t gap = gap_bytes(c);
  const std::uintptr_t buffer = buffer_address(block, gap);
  const std::uintptr_t entry = (buffer + alignment - 1) & ~(alignment - 1);
  if (zero_ == ZeroChoice::kAlloc) {
    // The part that realloc may add in place is zero, too.
    clear(entry, buffer + buffer_bytes(c));
  }
  if (entry != buffer) tables_.marks().mark_entry(block, entry, gap);
  sampler_.note_get(block, size);
  return reinterpret_cast<void*>(entry);
}

PoolFigures BufferPool::figures() noexcept {
  return PoolFigures({.mode = mode_,
                      .sizes = sizes_,
                      .miss_path = miss_path_,
                      .resize = resize_,
                      .space = space_,
                      .trimmer = trimmer_,
                      .retention = retention_,
                      .cache = cache_,
                      .spans = spans_,
                      .at_fork = at_fork_,
                      .stats = stats_,
                      .sampler = sampler_});
}

PoolControl BufferPool::control() noexcept {
  return PoolControl({.figures = figures(),
                      .sizes = sizes_,
                      .check = check_,
                      .altered = altered_,
                      .retention = retention_,
                      .returns = returns_,
                      .trimmer = trimmer_,
                      .cache = cache_,
                      .spans = spans_,
                      .space = space_,
                      .stats = stats_});
}

}  // namespace bufpool
