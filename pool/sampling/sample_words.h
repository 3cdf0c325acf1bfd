// SPDX-License-Identifier: MIT
// The records of samples, and how their words are changed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/telemetry/mirror.h"
#include "pool/telemetry/stats_page_writer.h"
#include "pool/telemetry/stats_samples.h"

namespace bufpool {

// Changes words of the records of this process, and tells each change at once on its statistics
// page, if there is one. A forked child has a copy of its parent's records, and tells nothing until
// it has a page of its own. Any thread and any signal handler may call all. Nothing here waits.
class SampleWords {
 public:
  // Connects the records, which outlive this. Before, there are none.
  void open(StatsSamples* records) noexcept { records_ = records; }
  // Tells the words by this writer from now on.
  void tell_by(const StatsPageWriter* writer) noexcept { writer_ = writer; }

  // Returns the records, or nullptr if there are none.
  [[nodiscard]] StatsSamples* records() const noexcept { return records_; }

  // Returns a word as it is now.
  [[nodiscard]] static std::uint64_t load(std::uint64_t& word) noexcept {
    return std::atomic_ref(word).load(std::memory_order_seq_cst);
  }
  // Writes a word.
  void store(std::uint64_t& word, std::uint64_t value) const noexcept {
    std::atomic_ref(word).store(value, std::memory_order_seq_cst);
    tell(word);
  }
  // Adds to a word.
  void add(std::uint64_t& word, std::uint64_t value) const noexcept {
    std::atomic_ref(word).fetch_add(value, std::memory_order_seq_cst);
    tell(word);
  }
  // Raises a word to a value that is larger.
  void raise(std::uint64_t& word, std::uint64_t value) const noexcept {
    std::uint64_t seen = load(word);
    while (seen < value && !std::atomic_ref(word).compare_exchange_weak(seen, value)) continue;
    tell(word);
  }
  // Sets the word to `to` if it is `from`. Returns whether it was.
  [[nodiscard]] bool change(std::uint64_t& word, std::uint64_t from,
                            std::uint64_t to) const noexcept {
    if (!std::atomic_ref(word).compare_exchange_strong(from, to)) return false;
    tell(word);
    return true;
  }

  // Tells all words, on a page that is new.
  void tell_all() const noexcept;

 private:
  template <typename Record>
  void tell_record(Record& record) const noexcept;
  void tell(std::uint64_t& word) const noexcept {
    StatsSamples* const told = writer_ != nullptr ? writer_->words().samples : nullptr;
    if (told != nullptr) mirror(counterpart(*told, word), [&word] { return load(word); });
  }
  // Returns the word of the page that tells this one.
  std::uint64_t& counterpart(StatsSamples& told, const std::uint64_t& word) const noexcept {
    const auto at = reinterpret_cast<const char*>(&word) - reinterpret_cast<const char*>(records_);
    return *reinterpret_cast<std::uint64_t*>(reinterpret_cast<char*>(&told) + at);
  }

  StatsSamples* records_ = nullptr;
  const StatsPageWriter* writer_ = nullptr;
};

}  // namespace bufpool
