// SPDX-License-Identifier: MIT
// The verbs of the command, each from a file of its own.
#pragma once

#include "cli/verb.h"

namespace bufpool {

extern const Verb kRunVerb;
extern const Verb kPsVerb;
extern const Verb kReportVerb;
extern const Verb kStatVerb;
extern const Verb kTopVerb;
extern const Verb kClassesVerb;
extern const Verb kConfigVerb;
extern const Verb kDoctorVerb;
extern const Verb kTrimVerb;
extern const Verb kResetVerb;
extern const Verb kExportVerb;
extern const Verb kProfileVerb;
extern const Verb kDiffVerb;
extern const Verb kAdviseVerb;
extern const Verb kLoadVerb;

}  // namespace bufpool
