// SPDX-License-Identifier: MIT
// `bufpool trim`: lets a process give its idle memory back.
#include "cli/steering/request.h"
#include "cli/verbs.h"
#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {
namespace {

Action prepare(Arguments& arguments) { return prepare_request(arguments, kStatsTrim); }

}  // namespace

extern const Verb kTrimVerb{"trim", "let a process give all of its idle memory back",
                            "bufpool trim $PID --wait 10s", prepare};

}  // namespace bufpool
