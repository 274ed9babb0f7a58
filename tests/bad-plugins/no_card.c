/* SPDX-License-Identifier: Apache-2.0 */
/* An entry, and no card. Outcome: refused before anything of it runs. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
BAD_DESCRIPTOR("test.no-card", "1.0.0", "NO_CARD", "no_card", bad_prepare, run, bad_cancel,
               bad_create, bad_destroy, bad_extension)
__attribute__((constructor)) static void boom(void) { __builtin_trap(); }
