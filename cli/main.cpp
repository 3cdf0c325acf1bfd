// SPDX-License-Identifier: MIT
// The command `bufpool`: runs programs under the pool, and watches and steers them from outside.
#include "cli/command_line.h"
#include "cli/verbs.h"

int main(int count, char** words) {
  const bufpool::Verb* const verbs[] = {
      &bufpool::kRunVerb,    &bufpool::kPsVerb,      &bufpool::kTopVerb,    &bufpool::kReportVerb,
      &bufpool::kStatVerb,   &bufpool::kProfileVerb, &bufpool::kDiffVerb,   &bufpool::kAdviseVerb,
      &bufpool::kExportVerb, &bufpool::kDoctorVerb,  &bufpool::kConfigVerb, &bufpool::kClassesVerb,
      &bufpool::kTrimVerb,   &bufpool::kResetVerb,   &bufpool::kLoadVerb,
  };
  return bufpool::run_command_line(verbs, count, words);
}
