// SPDX-License-Identifier: MIT
// static.c_api compiles this as C99. It calls each function if it is there, and prints what it
// finds.
#include <bufpool/bufpool.h>
#include <stdio.h>
#include <string.h>

static int print_figures(void) {
  struct bufpool_snapshot all;
  struct bufpool_class_snapshot row;
  uint32_t classes = 0;
  memset(&all, 0, sizeof all);
  memset(&row, 0, sizeof row);
  all.size = sizeof all;
  row.size = sizeof row;
  if (bufpool_snapshot(&all) != 0) return 1;
  while (bufpool_class_snapshot(classes, &row) == 0) ++classes;
  printf("version %s mode %u classes %u\n", bufpool_version(), (unsigned)all.mode,
         (unsigned)classes);
  return 0;
}

int main(void) {
  void* secret;
  const int some = bufpool_version || bufpool_snapshot || bufpool_class_snapshot ||
                   bufpool_report || bufpool_trim || bufpool_warm_up || bufpool_reset_peaks ||
                   bufpool_get || bufpool_put;
  const int all = bufpool_version && bufpool_snapshot && bufpool_class_snapshot &&
                  bufpool_report && bufpool_trim && bufpool_warm_up && bufpool_reset_peaks &&
                  bufpool_get && bufpool_put;
  if (some != all) return 2;
  if (!all) {
    puts("none");
    return 0;
  }
  secret = bufpool_get(5000);
  if (secret == NULL || bufpool_warm_up(5000, 3) < 3) return 3;
  bufpool_put(secret, 5000);
  bufpool_reset_peaks();
  if (bufpool_report(1, BUFPOOL_TEXT) != 0) return 4;
  if (bufpool_trim(0) == 0) return 5;
  return print_figures();
}
