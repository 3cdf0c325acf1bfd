// SPDX-License-Identifier: MIT
// `bufpool reset`: sets the peaks of a process to what is in use.
#include "cli/steering/request.h"
#include "cli/verbs.h"
#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {
namespace {

Action prepare(Arguments& arguments) { return prepare_request(arguments, kStatsResetPeaks); }

}  // namespace

extern const Verb kResetVerb{"reset", "let the peaks of a process begin again with what is in use",
                             "bufpool reset $PID --wait 10s", prepare};

}  // namespace bufpool
