// SPDX-License-Identifier: MIT
// Promise: errno is zero when main starts, as C demands. What the library does before leaves no
//   trace in it.
#include "tests/programs/promise.h"

int main() { promise::keep(errno == 0, "errno is zero"); }
