/* SPDX-License-Identifier: Apache-2.0 */
/* Its cancel is null. Outcome: refused, the slot named. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
SUB0_PLUGIN_CARD("test.null-slot", "1.0.0")
BAD_DESCRIPTOR("test.null-slot", "1.0.0", "NULL_SLOT", "null_slot", bad_prepare, run, 0, bad_create,
               bad_destroy, bad_extension)
