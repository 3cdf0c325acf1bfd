// SPDX-License-Identifier: MIT
// The verbs of the command, each from a file of its own.
#pragma once

#include "cli/verb.h"

namespace bufpool {

extern const Verb kRunVerb;
extern const Verb kPsVerb;
extern const Verb kReportVerb;

}  // namespace bufpool
