// SPDX-License-Identifier: MIT
// Promise: without BUFPOOL_SAMPLE there are no samples, and no room for them on the page.
// Needs: library
#include "tests/programs/own_page.h"

int main() {
  promise::use(1 << 20, 10);
  const bufpool::StatsPage page = promise::read_page(promise::own_page());
  promise::keep(!page.samples(), "there are no samples");
  promise::keep(page.header().sampling == 0, "and no place for them");
}
