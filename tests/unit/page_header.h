// SPDX-License-Identifier: MIT
// Begins a statistics page that a test makes by hand.
#pragma once

#include <cstring>

#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {

// Fills what the header says of every page: what it is, of which version, and how long.
template <typename Page>
StatsHeader& begin_header(Page& page) {
  StatsHeader& header = page.header;
  std::memcpy(header.magic, kStatsMagic, sizeof header.magic);
  header.major = kStatsMajor;
  header.byte_order = kStatsByteOrder;
  header.header_bytes = sizeof(StatsHeader);
  header.page_bytes = sizeof(Page);
  return header;
}

}  // namespace bufpool
