/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes in run as the action says: "null", "pool", "abort", "stack", "divide",
 * "trap". Outcome: the
 * process ends by the signal; the first line on stderr names plugin, handler, resource. */
#include "bad.h"

#include <stdlib.h>

static int32_t prepare(void* self, sub0_preparation* p, const sub0_value* config, void** action) {
  static char hows[16][1];
  static int count;
  (void)self;
  if (config->type != SUB0_TEXT || config->count == 0 || count == 16) return SUB0_BAD_REQUEST;
  if (config->as.text[0] == 'p') p->place(p, SUB0_PLACE_POOL); /* "pool" */
  hows[count][0] = config->as.text[0];
  *action = hows[count++];
  return SUB0_OK;
}
static int64_t overflow(volatile char* below) {
  volatile char room[4096];
  if (below == (volatile char*)1) return 0; /* never */
  room[0] = below == 0 ? 0 : below[0];
  return overflow(room) + room[0];
}
static void run(void* action, const sub0_run* run_) {
  volatile int* volatile nowhere = 0; /* the write is volatile too: it stays */
  volatile int zero = 0;
  switch (*(const char*)action) {
    case 'a':
      abort();
    case 's':
      bad_complete(run_, overflow(0));
      break;
    case 'd':
      bad_complete(run_, 7 / zero);
      break;
    case 't':
      __builtin_trap();
    default:
      *nowhere = 1;
      bad_complete(run_, 1);
  }
}
SUB0_PLUGIN_CARD("test.crashes", "1.0.0")
BAD_DESCRIPTOR("test.crashes", "1.0.0", "CRASH", "crash", prepare, run, bad_cancel, bad_create,
               bad_destroy, bad_extension)
