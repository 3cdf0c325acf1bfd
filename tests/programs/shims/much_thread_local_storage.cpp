// SPDX-License-Identifier: MIT
// Adds to the initial TLS of every thread. It is for trimmer_fits_any_thread_local_storage.
#include <cstddef>

#include "tests/programs/promise.h"

namespace {

thread_local char storage[std::size_t{100} << 10] [[gnu::tls_model("initial-exec")]] = {1};

[[gnu::constructor]] void use() { promise::hide(&storage[0])[1] = 1; }

}  // namespace
