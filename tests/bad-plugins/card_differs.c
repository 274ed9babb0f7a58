/* SPDX-License-Identifier: Apache-2.0 */
/* Card and descriptor name different versions. Outcome: refused, both named. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
SUB0_PLUGIN_CARD("test.card-differs", "1.0.0")
BAD_DESCRIPTOR("test.card-differs", "2.0.0", "DIFFERS", "differs", bad_prepare, run, bad_cancel,
               bad_create, bad_destroy, bad_extension)
