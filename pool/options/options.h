// SPDX-License-Identifier: MIT
// Holds the tunables as the environment sets them. No function prints or allocates anything, and
// all may be called before libc is initialised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pool/options/choices.h"

namespace bufpool {

enum class OptionKind : std::uint8_t {
  kFlag,
  kCount,
  kAutoCount,
  kBytes,
  kAutoBytes,
  kOffBytes,
  kShare,
  kDuration,
  kChoice,
  kSizes,
  kWarmup,
  kNames,
  kPlace,
  kText
};

// Holds one row of options.def.
struct OptionInfo {
  OptionKind kind;
  std::string_view name;  // without BUFPOOL_
  std::string_view default_value;
  std::string_view lowest;
  std::string_view highest;  // holds the words of a choice, separated by |
  std::string_view sentence;
};

// Returns the rows of options.def, in their order.
[[nodiscard]] std::span<const OptionInfo> option_list() noexcept;

// A value of 0 or 0% means that nothing is to be kept. It is read as 1 byte, which no page fits
// into.
inline constexpr std::uint64_t kNothingKept = 1;
// Returns a size that was read so as the user set it.
constexpr std::uint64_t as_set(std::uint64_t bytes) noexcept {
  return bytes == kNothingKept ? 0 : bytes;
}

// Holds a share of the memory limit: `percent` of it, or `bytes` if `percent` is 0. If both are 0,
// the machine decides.
struct Share {
  std::uint64_t bytes = 0;
  std::uint32_t percent = 0;
};

// Holds the value of each option. A text value is a view into the environment, and is valid as long
// as the environment's strings are. A user keeps a copy if the program may change them (setenv,
// putenv).
struct Options {
#define BUFPOOL_OPTION_TYPE_flag bool
#define BUFPOOL_OPTION_TYPE_count std::uint64_t
#define BUFPOOL_OPTION_TYPE_autocount std::optional<std::uint64_t>  // none: auto
#define BUFPOOL_OPTION_TYPE_bytes std::uint64_t
#define BUFPOOL_OPTION_TYPE_autobytes std::uint64_t  // 0: auto
#define BUFPOOL_OPTION_TYPE_offbytes std::uint64_t   // 0: off
#define BUFPOOL_OPTION_TYPE_share Share
#define BUFPOOL_OPTION_TYPE_duration std::uint64_t  // milliseconds
#define BUFPOOL_OPTION_TYPE_sizes std::string_view
#define BUFPOOL_OPTION_TYPE_warmup std::string_view
#define BUFPOOL_OPTION_TYPE_names std::string_view
#define BUFPOOL_OPTION_TYPE_place std::string_view
#define BUFPOOL_OPTION_TYPE_text std::string_view
#define BUFPOOL_OPTION(kind, member, NAME, default_value, lowest, highest, sentence) \
  BUFPOOL_OPTION_TYPE_##kind member{};
#define BUFPOOL_CHOICE(Type, member, ...) Type member{};
#include "pool/options/options.def"
  // Bit i says that the environment set row i of the list to a good value.
  std::uint64_t set_mask = 0;
};

// Holds a complaint about one variable.
struct Complaint {
  enum class Kind : std::uint8_t { kUnknownName, kBadValue, kOutOfRange, kUnmet };
  Kind kind;
  std::string_view name;   // as given, with BUFPOOL_
  std::string_view value;  // as given
  // It is the row that was meant. For an unknown name it is the nearest one, or null.
  const OptionInfo* info;
  std::string_view needs = {};  // of kUnmet: what it does not go without
  std::string_view other = {};  // the name of a second variable that is not obeyed for it, as given
};

// Holds the first complaints, and how many there were in all.
struct Complaints {
  static constexpr std::size_t kKept = 16;
  std::array<Complaint, kKept> kept{};
  std::size_t count = 0;
};

// Returns the defaults of options.def.
[[nodiscard]] Options default_options() noexcept;

// Reads every BUFPOOL_* variable of `environment`, which ends with a null pointer and may be null.
// A value that is wrong or out of range leaves the default in place. A complaint is added for it,
// and for a name that is in no row.
[[nodiscard]] Options parse_options(const char* const* environment,
                                    Complaints& complaints) noexcept;

// Writes one complaint as a sentence into `out`, without a newline and cut where it does not fit.
// Returns what was written:
//   BUFPOOL_RETAIN_MAX=64Q: not a size (such as 64M or 1G); using 64M
//   BUFPOOL_CPU_CACHE=1K: out of range (64K to 16G); using auto
//   BUFPOOL_REPORT_EVERY=60s: needs a file in BUFPOOL_REPORT; using 0
//   BUFPOOL_REPROT=off: no such variable; did you mean BUFPOOL_REPORT?
[[nodiscard]] std::string_view describe(const Complaint& complaint, std::span<char> out) noexcept;

// Reads an integer with an optional K, M, G, T, KiB, MiB, GiB or TiB (any case, 1024-based).
// Returns false if the text is none or needs more than 64 bits.
[[nodiscard]] bool parse_bytes(std::string_view text, std::uint64_t& bytes) noexcept;

// Reads an integer with an optional ms, s, m or h (any case). Without a unit it is milliseconds.
// Returns false if the text is none or needs more than 64 bits.
[[nodiscard]] bool parse_duration(std::string_view text, std::uint64_t& milliseconds) noexcept;

// Takes the next size off the front of a list such as "4K,16K". Returns false at its end. It
// returns false and leaves the list as it is if the next element is not a size.
[[nodiscard]] bool next_size(std::string_view& list, std::uint64_t& bytes) noexcept;

// Takes the next pair off the front of a list such as "64K:100,1M:8". Returns false at its end. It
// returns false and leaves the list as it is if the next element is not a size and a count of 1 to
// 1048576.
[[nodiscard]] bool next_warmup(std::string_view& list, std::uint64_t& bytes,
                               std::uint64_t& count) noexcept;

// Writes the value in force of row `index` of option_list() into `out`. Returns what was written.
[[nodiscard]] std::string_view effective_value(const Options& options, std::size_t index,
                                               std::span<char> out) noexcept;

}  // namespace bufpool
