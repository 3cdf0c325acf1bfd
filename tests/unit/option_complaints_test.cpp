// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "pool/options.h"
#include "tests/unit/parsed_options.h"

namespace bufpool {
namespace {

using Kind = Complaint::Kind;

struct UnknownCase {
  std::string_view name;
  std::string_view hint;  // empty: none
};

void PrintTo(const UnknownCase& c, std::ostream* out) { *out << c.name; }

class UnknownName : public testing::TestWithParam<UnknownCase> {};

TEST_P(UnknownName, IsComplainedOfWithTheNearest) {
  const std::string name = variable(GetParam().name);
  const Parsed parsed({name + "=off"});
  EXPECT_EQ(all_values(parsed.options), all_values(default_options()));
  ASSERT_EQ(parsed.complaints.count, 1U);
  const Complaint& complaint = parsed.complaints.kept[0];
  EXPECT_EQ(complaint.kind, Kind::kUnknownName);
  EXPECT_EQ(complaint.name, name);
  EXPECT_EQ(complaint.value, "off");
  std::string sentence = name + "=off: no such variable";
  if (GetParam().hint.empty()) {
    EXPECT_EQ(complaint.info, nullptr) << complaint.info->name;
  } else {
    ASSERT_NE(complaint.info, nullptr);
    EXPECT_EQ(complaint.info->name, GetParam().hint);
    sentence += "; did you mean " + variable(GetParam().hint) + '?';
  }
  EXPECT_EQ(described(complaint), sentence);
}

constexpr UnknownCase kUnknownNames[] = {
    {"REPROT", "REPORT"},
    {"REPOTR", "REPORT"},
    {"MDOE", "MODE"},  // neighbours swapped are one off: two would be half of the name
    {"DMOE", ""},
    {"DISABL", "DISABLE"},
    {"DISABLED", "DISABLE"},
    {"MIN_SISE", "MIN_SIZE"},
    {"MAXSIZE", "MAX_SIZE"},
    {"REPORT_FORAMTS", "REPORT_FORMAT"},
    {"REPORTFORMT", "REPORT_FORMAT"},
    {"report_min", "REPORT_MIN"},  // the case alone is wrong
    {"xMIN_SIZExx", "MIN_SIZE"},   // three off
    {"xMIN_SIZExxx", ""},          // four off
    {"MEDXX", ""},                 // MODE is three off, which is over half
    {"QQQQQ", ""},
    {"Q", ""},
    {"", ""},
    {"WHOLLY_DIFFERENT_AND_RATHER_LONG_NAME_OF_SOMETHING", ""},
};
INSTANTIATE_TEST_SUITE_P(All, UnknownName, testing::ValuesIn(kUnknownNames));

TEST(UnknownNameTest, OfAnyLengthIsRead) {
  const Parsed parsed({"BUFPOOL_" + std::string(100'000, 'R') + "=1"});
  ASSERT_EQ(parsed.complaints.count, 1U);
  EXPECT_EQ(parsed.complaints.kept[0].info, nullptr);
}

TEST(UnknownNameTest, OneLetterLessOfAnyRowIsHintedAt) {
  for (const OptionInfo& row : option_list()) {
    if (row.name.size() < 4) continue;
    const Parsed parsed({"BUFPOOL_" + std::string(row.name.substr(1)) + "=1"});
    if (parsed.complaints.count == 0) continue;  // another row has just that name
    ASSERT_NE(parsed.complaints.kept[0].info, nullptr) << row.name;
  }
}

TEST(Describe, KeepsToOneLineAndLeavesRoomForWhatIsWrong) {
  const Parsed lines({"BUFPOOL_MODE=a\nb\x1b[31m\x7f"});
  EXPECT_EQ(described(lines.complaints.kept[0]),
            "BUFPOOL_MODE=a?b?[31m?: not one of auto, rseq, locked; using auto");
  const Parsed length({"BUFPOOL_MODE=" + std::string(1000, 'x')});
  EXPECT_EQ(
      described(length.complaints.kept[0]),
      "BUFPOOL_MODE=" + std::string(64, 'x') + "...: not one of auto, rseq, locked; using auto");
}

TEST(Describe, CutsWhereItDoesNotFit) {
  const Parsed parsed({"BUFPOOL_MODE=fast"});
  const std::string whole = described(parsed.complaints.kept[0]);
  for (std::size_t room = 0; room <= whole.size() + 1; ++room) {
    std::vector<char> out(room + 1, '#');
    const std::string_view cut = describe(parsed.complaints.kept[0], {out.data(), room});
    EXPECT_EQ(cut, std::string_view(whole).substr(0, room));
    EXPECT_EQ(cut.data(), out.data());
    EXPECT_EQ(out[room], '#');
  }
  EXPECT_EQ(describe(parsed.complaints.kept[0], {}), "");
}

}  // namespace
}  // namespace bufpool
