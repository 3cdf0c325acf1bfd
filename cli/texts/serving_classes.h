// SPDX-License-Identifier: MIT
// The size classes that serve a process, used or not: advice on sizes depends on them.
#pragma once

#include <string_view>

#include "pool/telemetry/snapshot.h"

namespace bufpool {

// The options that choose them, as their values in force; empty: the default.
struct ServingOptions {
  std::string_view classes;
  std::string_view min_size;
  std::string_view max_size;
};

// Adds a row of zeros to the snapshot for each class that serves and has none, and keeps the rows
// ascending.
void add_serving_classes(Snapshot& snapshot, const ServingOptions& options);

// The same for a list of the names of classes that serve. If it is empty all do.
void add_named_classes(Snapshot& snapshot, std::string_view names);

}  // namespace bufpool
