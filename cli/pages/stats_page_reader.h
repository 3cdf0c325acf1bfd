// SPDX-License-Identifier: MIT
// Reads a statistics page from its bytes, by the page's own directory. The bytes may be anything:
// of another version, cut short, or with wild offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/pages/page_samples.h"
#include "pool/telemetry/snapshot.h"
#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {

// The reason why bytes are no page that can be read.
enum class StatsPageFault : std::uint8_t {
  kNone,
  kNotAPage,        // they do not begin as a page does
  kOtherByteOrder,  // another machine wrote it
  kOtherVersion,    // another major version wrote it
  kNotReady,        // the process was still writing the front, or was killed at it
  kCutShort,        // there are fewer bytes than the page says
  kWildOffset,      // an area lies outside of the page, or is too small for what it holds
};

// One sentence without a full stop, for a message.
[[nodiscard]] std::string_view describe(StatsPageFault fault) noexcept;

// Whether what a process has sampled of its buffers is read as well. It is most of a page.
enum class PageParts : std::uint8_t { kFigures, kFiguresAndSamples };

// A page, copied out of the bytes that it was read from.
class StatsPage {
 public:
  struct Option {
    std::string name;    // without BUFPOOL_
    std::string source;  // default, environment
    std::string value;
  };

  // The page in `bytes`. Nothing: `fault` says why. The bytes are not needed any more afterwards.
  // A caller that reads them from a living process reads again where is_torn() says so.
  [[nodiscard]] static std::optional<StatsPage> parse(
      std::span<const std::byte> bytes, StatsPageFault& fault,
      PageParts parts = PageParts::kFiguresAndSamples);

  // The front of the page. Its texts may lack their ending zeros: version(), command() and
  // control_group() do not.
  [[nodiscard]] const StatsHeader& header() const noexcept { return header_; }
  [[nodiscard]] std::string version() const;
  [[nodiscard]] std::string command() const;
  [[nodiscard]] std::string control_group() const;

  // The options in force, in the library's order.
  [[nodiscard]] const std::vector<Option>& options() const noexcept { return options_; }
  // All figures that the page has, in the library's order.
  [[nodiscard]] const std::vector<StatsField>& fields() const noexcept { return fields_; }
  // A field by its name. Nothing: the library that wrote the page does not have it.
  [[nodiscard]] const StatsField* find(StatsScope scope, std::string_view name) const noexcept;
  // How a field is called, and what it counts.
  [[nodiscard]] static std::string_view name_of(const StatsField& field) noexcept;
  [[nodiscard]] static std::string_view unit_of(const StatsField& field) noexcept;

  // How many classes the library has, whether they were used or not.
  [[nodiscard]] std::uint32_t class_count() const noexcept { return header_.rows.count; }
  // What a program may write into a buffer of the class; 0: the class was never used.
  [[nodiscard]] std::uint64_t buffer_bytes(std::uint32_t c) const noexcept;
  // A figure of the process, or of a class. Pre: the field is one of fields(), c < class_count().
  [[nodiscard]] std::uint64_t value(const StatsField& field) const noexcept;
  [[nodiscard]] std::uint64_t value(const StatsField& field, std::uint32_t c) const noexcept;
  // When `retained` was found out, in nanoseconds since the machine started; 0: never, and it is
  // all that is idle.
  [[nodiscard]] std::uint64_t looked_ns() const noexcept;

  // The last request to the library, and its answer.
  [[nodiscard]] const StatsControl& control() const noexcept { return control_; }

  // What the process has sampled of its buffers. Nothing: it does not sample (BUFPOOL_SAMPLE), or
  // only the figures were read.
  [[nodiscard]] const std::optional<PageSamples>& samples() const noexcept { return samples_; }

  // Some record was being written while the bytes were copied: its figures may not fit together.
  [[nodiscard]] bool is_torn() const noexcept { return torn_; }

  // What the process itself would tell, as far as the page has it. Classes that this version does
  // not have are left out.
  [[nodiscard]] Snapshot snapshot() const noexcept;

 private:
  // The sums over a class's stacks in all shards.
  struct Stacks {
    std::uint64_t hits = 0;
    std::uint64_t depth = 0;
    std::uint64_t moved = 0;
    std::uint64_t asked = 0;
  };

  StatsPage() = default;
  [[nodiscard]] bool copy_areas(std::span<const std::byte> bytes, PageParts parts);
  [[nodiscard]] bool copy_fields(std::span<const std::byte> bytes);
  [[nodiscard]] bool copy_stacks(std::span<const std::byte> bytes);
  [[nodiscard]] bool copy_sizes(std::span<const std::byte> bytes);
  void read_options(std::string_view text);
  [[nodiscard]] bool are_fields_sound() const noexcept;
  [[nodiscard]] std::uint64_t word(std::uint32_t c, std::uint32_t at) const noexcept;
  [[nodiscard]] std::uint64_t own_value(const StatsField& field, std::uint32_t c) const noexcept;
  [[nodiscard]] const StatsField* numbered(std::uint8_t number_and_one) const noexcept;

  StatsHeader header_{};
  StatsControl control_{};
  bool torn_ = false;
  std::vector<StatsField> fields_;
  std::vector<Option> options_;
  std::vector<std::byte> rows_;
  std::vector<std::byte> process_;
  std::vector<Stacks> stacks_;        // per class
  std::vector<std::uint64_t> sizes_;  // per built-in class
  std::optional<PageSamples> samples_;
};

}  // namespace bufpool
