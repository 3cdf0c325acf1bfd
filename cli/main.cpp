// SPDX-License-Identifier: MIT
// The command `bufpool`: runs programs under the pool, and watches and steers them from outside.
#include "cli/command_line.h"
#include "cli/verbs.h"

int main(int count, char** words) {
  const bufpool::Verb* const verbs[] = {&bufpool::kRunVerb, &bufpool::kPsVerb,
                                        &bufpool::kReportVerb};
  return bufpool::run_command_line(verbs, count, words);
}
