// SPDX-License-Identifier: MIT
#include "pool/stats/stats_teller.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "pool/platform/safe_calls.h"
#include "pool/spans/span_residence.h"
#include "pool/sync/owner_lock.h"
#include "pool/sync/vforks.h"
#include "pool/telemetry/mirror.h"
#include "pool/telemetry/residence.h"

namespace bufpool {
namespace {

// Words that are written in any case.
constexpr auto kNever = [](const StatsProcess&) { return false; };

using Word = std::uint64_t StatsProcess::*;

// These words are told soon after they change. Those of the second list are told by a report only:
// to find them out is to read files.
constexpr Word kToldWords[] = {
    &StatsProcess::cpu_drains, &StatsProcess::trims,      &StatsProcess::shortages,
    &StatsProcess::trimmer,    &StatsProcess::reserved,   &StatsProcess::pressure_events,
    &StatsProcess::budget,     &StatsProcess::budget_max,
};
constexpr Word kReportedWords[] = {
    &StatsProcess::looked_ns,
    &StatsProcess::resident,
    &StatsProcess::resident_peak,
    &StatsProcess::cpu_time,
};
// These are told request by request, see tell_passed().
constexpr Word kPassedWords[] = {
    &StatsProcess::passed_below,
    &StatsProcess::passed_above,
    &StatsProcess::passed_within,
};
static_assert(sizeof(StatsProcess) / sizeof(std::uint64_t) ==
                  std::size(kToldWords) + std::size(kReportedWords) + std::size(kPassedWords),
              "each word is told");

// The words of a class that say why its gets missed.
struct ReasonWord {
  MissReason why;
  std::uint64_t StatsRow::*told;
  std::uint64_t ClassForkAccount::*at_fork;
};
constexpr ReasonWord kReasonWords[] = {
    {MissReason::kCold, &StatsRow::cold_misses, &ClassForkAccount::cold_misses},
    {MissReason::kReturned, &StatsRow::returned_misses, &ClassForkAccount::returned_misses},
    {MissReason::kDrained, &StatsRow::drained_misses, &ClassForkAccount::drained_misses},
    {MissReason::kElsewhere, &StatsRow::elsewhere_misses, &ClassForkAccount::elsewhere_misses},
};
static_assert(std::size(kReasonWords) == kMissReasons, "each reason is told");

}  // namespace

void StatsTeller::enable(const Options& options, PoolMode mode, const Owner& owner) noexcept {
  options_ = &options;
  owner_ = owner;
  mode_ = mode;
  const std::string_view wanted = options.stats;
  if (wanted == "off" || wanted.size() >= folder_.size() || mode == PoolMode::kPassThrough) return;
  if (wanted.starts_with('/')) wanted.copy(folder_.data(), wanted.size());
  // The program may overwrite its name later, or leave it where memory is unmapped.
  std::string_view(platform::command_name())
      .substr(0, command_.size() - 1)
      .copy(command_.data(), command_.size());
  choice_ = wanted == "auto" ? Choice::kAuto : Choice::kOn;
  for_each_class([&](ClassIndex c) {
    RowTeller& row = parts_.spans[to_number(c)].state().row;
    row.open(&writer_, c, &parts_.at_fork->classes[to_number(c)]);
  });
  parts_.cache->slabs().sharing().tell(&writer_);
  parts_.sampler->tell_by(&writer_);
}

// The calls that make a page and remove its name are not those that the loader made. Under a filter
// that was there from the start they may end the process: they are made then if a page is asked
// for.
bool StatsTeller::calls_are_safe() const noexcept {
  if (platform::expects_filter()) return false;
  const platform::SafeCalls safe = platform::safe_calls();
  return safe == platform::SafeCalls::kAny ||
         (safe == platform::SafeCalls::kLoaders && choice_ == Choice::kOn);
}

// A page takes mappings, so there is none where they are short.
bool StatsTeller::may_make() const noexcept {
  return !for_good_.load() && !parts_.space->mappings().are_short() && calls_are_safe();
}

void StatsTeller::remove_name() noexcept {
  const bool has_file = folder_[0] != '\0' && writer_.words().control != nullptr;
  if (has_file && calls_are_safe()) writer_.remove_name();
}

// A child of vfork runs in the memory of its parent, whose page it would make.
bool StatsTeller::decide(std::uint32_t number_in_child) noexcept {
  if (Vforks::is_in_one() && !OwnerLock::process_is_entered()) return false;
  if (parts_.cache->slabs().sharing().is_in_interrupted_fork()) return false;
  if (!writer_.begin(number_in_child)) return false;
  const bool in_child = writer_.has_region();
  const bool made = in_child ? make_in_child() : make();
  writer_.settle(made);
  if (made) tell_again();
  parts_.cache->slabs().sharing().note_placed();
  return true;
}

StatsPlan StatsTeller::plan(std::uint32_t shards) const noexcept {
  return {.mode = mode_,
          .caches = parts_.cache->slabs().expected(),
          .shards = shards,
          .folder = folder_[0] != '\0' ? folder_.data() : nullptr,
          .command = command_.data(),
          .options = options_,
          .samples = parts_.sampler->is_on()};
}

// A child of a process whose page was refused has none either.
bool StatsTeller::make() noexcept {
  SlabSharing& slabs = parts_.cache->slabs().sharing();
  if (!may_make() || !slabs.hide_in_children()) return false;
  const bool made = writer_.make(plan(slabs.most()));
  if (made) slabs.place_records(false);
  return made;
}

bool StatsTeller::make_in_child() noexcept {
  obeying_.store(false);
  const bool made = may_make() && writer_.make(plan(0));
  // Where it cannot be hidden either, nobody writes there.
  if (!made) std::ignore = writer_.hide();
  SlabSharing& slabs = parts_.cache->slabs().sharing();
  slabs.place_records(true);
  for_each_class([&](ClassIndex c) {
    const SharedSpans& spans = parts_.spans[to_number(c)];
    const SpanCounters counters = spans.state().counters_without_lock();
    const DeferredBlocks& deferred = spans.deferred();
    if (!made || !spans.is_used()) return;
    slabs.balance_moved(
        c, counters.filled - counters.drained - deferred.count() + deferred.overflows());
  });
  return made;
}

// All that was counted before the page was made, less what was the parent's. It is done without
// locks: to write to them in a forked child is to copy their pages. Other threads may tell a row by
// now, and the last word is to be theirs.
void StatsTeller::tell_again() noexcept {
  for_each_class([&](ClassIndex c) {
    const SharedSpans& spans = parts_.spans[to_number(c)];
    if (writer_.row(to_number(c)) == nullptr || !spans.is_used()) return;
    const ClassForkAccount& then = parts_.at_fork->classes[to_number(c)];
    SpanCounters told{};
    do {
      told = spans.state().counters_without_lock();
      spans.state().row.tell(told);
    } while (spans.state().counters_without_lock() != told);
    StatsRow& row = *writer_.row(to_number(c));
    put_word(row.inherited, then.in_use);
    put_word(row.in_use_peak, least_peak(*parts_.at_fork, then));
    put_word(row.roomy, then.gets * stride_bytes(c) - then.granted);
    put_word(row.hits, -then.hits);
    tell_asked(c);
    tell_reasons(c);
  });
  for_each_class([&](ClassIndex c) {
    if (parts_.cache->counters().misses_of_sizes(c) != 0) tell_size(c);
  });
  tell_passed();
  tell_process();
  parts_.sampler->tell_all();
}

void StatsTeller::tell_asked(ClassIndex c) noexcept {
  mirror(writer_.row(to_number(c))->asked, [&] {
    return parts_.cache->counters().asked_by_misses(c) -
           parts_.at_fork->classes[to_number(c)].asked;
  });
}

// Only the word that has changed is written: each takes the cache line from other CPUs.
void StatsTeller::tell_reasons(ClassIndex c) noexcept {
  StatsRow& row = *writer_.row(to_number(c));
  for (const ReasonWord& word : kReasonWords) {
    const auto now = [&] {
      return parts_.cache->counters().missed(c, word.why) -
             parts_.at_fork->classes[to_number(c)].*word.at_fork;
    };
    std::uint64_t& told = row.*word.told;
    if (now() != std::atomic_ref(told).load(std::memory_order_relaxed)) mirror(told, now);
  }
}

void StatsTeller::tell_size(ClassIndex c) noexcept {
  std::uint64_t* const words = writer_.words().sizes;
  if (words == nullptr) return;
  mirror(words[to_number(c)], [&] { return parts_.cache->counters().misses_of_sizes(c); });
}

void StatsTeller::settle_for_good() noexcept {
  if (!writer_.is_settled()) std::ignore = decide(1);
  if (writer_.words().control != nullptr) parts_.cache->slabs().sharing().prepare_all();
  for_good_.store(true);
}

void StatsTeller::after_slow_path(ClassIndex c, std::size_t asked) noexcept {
  StatsRow* const row = writer_.row(to_number(c));
  if (row == nullptr) return;
  tell_asked(c);
  tell_reasons(c);
  tell_size(class_of_size(asked));
  const auto peak = [&] { return parts_.cache->counters().in_use_peak(c); };
  if (peak() > row->in_use_peak) mirror(row->in_use_peak, peak);
  tell_process();
  obey(Doer::kProgram);
}

void StatsTeller::after_pass(void* self) noexcept {
  static_cast<StatsTeller*>(self)->tell_process();
  static_cast<StatsTeller*>(self)->obey(Doer::kTrimmer);
}

void StatsTeller::tell_passed_on(ClassIndex c, Shortage why) noexcept {
  StatsRow* const row = writer_.row(to_number(c));
  if (row == nullptr) return;
  std::atomic_ref(row->fallbacks).fetch_add(1, std::memory_order_relaxed);
  if (why == Shortage::kLimit) std::atomic_ref(row->over_limit).fetch_add(1);
  if (why == Shortage::kLock) std::atomic_ref(row->locked_out).fetch_add(1);
}

void StatsTeller::tell_room(ClassIndex c, const std::atomic<std::uint64_t>& bytes) noexcept {
  if (StatsRow* const row = writer_.row(to_number(c))) mirror(row->roomy, bytes);
}

// Each is a figure by itself, so no sequence guards it: a thread that were turned away would leave
// the last requests untold.
void StatsTeller::tell_passed_below(const std::atomic<std::uint64_t>& requests) noexcept {
  if (StatsProcess* const words = writer_.words().process) mirror(words->passed_below, requests);
}

void StatsTeller::tell_passed() noexcept {
  StatsProcess* const words = writer_.words().process;
  if (words == nullptr || owner_.passed == nullptr) return;
  mirror(words->passed_below, [this] { return owner_.passed().below; });
  mirror(words->passed_above, [this] { return owner_.passed().above; });
  mirror(words->passed_within, [this] { return owner_.passed().within; });
}

// Nothing is written where nothing differs: slow paths of all CPUs come here.
void StatsTeller::tell_process() noexcept {
  StatsProcess* const words = writer_.words().process;
  if (words == nullptr) return;
  const bool with_budget = options_->retain_max.percent == 0;
  const RetentionFigures retention = parts_.retention->figures(with_budget);
  const ForkAccount& then = *parts_.at_fork;
  StatsProcess now = *words;
  now.cpu_drains = retention.cpu_drains - then.cpu_drains;
  now.trims = retention.trims - then.trims;
  now.shortages = retention.shortages - then.shortages;
  now.pressure_events = retention.pressure_events - then.pressure_events;
  now.trimmer = static_cast<std::uint64_t>(parts_.trimmer->state());
  now.reserved = parts_.space->mappings().bytes();
  // To tell a percentage as bytes is to read a dozen files.
  if (with_budget) {
    now.budget = as_set(retention.budget);
    now.budget_max = as_set(retention.budget_most);
  }
  const auto same = [&now](const StatsProcess& told) {
    return std::all_of(std::begin(kToldWords), std::end(kToldWords),
                       [&](const Word word) { return told.*word == now.*word; });
  };
  writer_.write_process(same, [&now](StatsProcess& told) {
    for (const Word word : kToldWords) put_word(told.*word, now.*word);
  });
}

void StatsTeller::tell_looked(const Snapshot& found) noexcept {
  if (writer_.words().control == nullptr) return;
  for_each_class([&](ClassIndex c) {
    const ClassSnapshot& row = found.classes[to_number(c)];
    if (parts_.spans[to_number(c)].is_used()) {
      put_word(writer_.row(to_number(c))->retained, row.retained);
    }
  });
  tell_process();
  writer_.write_process(kNever, [&](StatsProcess& words) {
    put_word(words.looked_ns, platform::clock_times().since_boot_ns);
    put_word(words.resident, found.resident);
    put_word(words.resident_peak, found.resident_peak);
    put_word(words.cpu_time, found.cpu_time);
    put_word(words.budget_max, found.budget_max);
    put_word(words.budget, found.budget);
  });
}

// Looks at one class after the other: a snapshot would not fit on the stack of a signal handler.
void StatsTeller::look() noexcept {
  Residence look;
  for_each_class([&](ClassIndex c) {
    SharedSpans& spans = parts_.spans[to_number(c)];
    if (!spans.is_used()) return;
    const std::uint64_t in_spans = resident_bytes(spans.state(), look);
    put_word(writer_.row(to_number(c))->retained,
             in_spans + parts_.cache->counters().resident_bytes(c, look));
  });
  writer_.write_process(kNever, [&](StatsProcess& words) {
    put_word(words.looked_ns, platform::clock_times().since_boot_ns);
  });
}

void StatsTeller::reset_peaks() noexcept {
  if (parts_.spans == nullptr) return;
  parts_.at_fork->peaks_are_reset.store(true, std::memory_order_relaxed);
  for_each_class([&](ClassIndex c) {
    if (!parts_.spans[to_number(c)].is_used()) return;
    parts_.spans[to_number(c)].reset_peak();
    parts_.cache->counters().reset_peak(c);
    StatsRow* const row = writer_.row(to_number(c));
    if (row != nullptr) put_word(row->in_use_peak, std::uint64_t{0});
  });
}

// Only the trimmer's thread writes reports: the program may hold what a write waits for.
bool StatsTeller::append_report(Doer doer) noexcept {
  return doer == Doer::kTrimmer && owner_.has_report_file() &&
         parts_.trimmer->has_own_descriptors() && owner_.append_report();
}

// Returns those of the verbs that are not known, or could not be done.
std::uint32_t StatsTeller::perform(std::uint32_t verbs, Doer doer) noexcept {
  std::uint32_t refused = verbs & ~(kStatsTrim | kStatsResetPeaks | kStatsLook | kStatsReport);
  if ((verbs & kStatsTrim) != 0) parts_.retention->trim(0);
  if ((verbs & kStatsResetPeaks) != 0) reset_peaks();
  if ((verbs & kStatsLook) != 0) look();
  if ((verbs & kStatsReport) != 0 && !append_report(doer)) refused |= kStatsReport;
  return refused;
}

// One thread at a time, and none that a signal handler interrupted in it. What the trimmer's thread
// is to do is left to it, with all that was asked for at the same time.
void StatsTeller::obey(Doer doer) noexcept {
  StatsControl* const control = writer_.words().control;
  if (control == nullptr) return;
  const auto open_request = [control]() noexcept {
    const std::uint32_t asked = std::atomic_ref(control->request).load(std::memory_order_acquire);
    const bool is_open = asked != std::atomic_ref(control->done).load(std::memory_order_acquire);
    return is_open ? std::optional(asked) : std::nullopt;
  };
  if (!open_request()) return;
  const std::uint32_t verbs = std::atomic_ref(control->verbs).load(std::memory_order_relaxed);
  const bool for_trimmer = (verbs & kStatsReport) != 0 && owner_.has_report_file();
  if (for_trimmer && doer == Doer::kProgram && parts_.trimmer->ask_for_pass()) return;
  if (obeying_.exchange(true)) return;
  // Another thread may have done it meanwhile.
  if (const auto asked = open_request()) {
    put_word(control->refused, perform(verbs, doer));
    std::atomic_ref(control->done).store(*asked, std::memory_order_release);
  }
  obeying_.store(false);
}

}  // namespace bufpool
