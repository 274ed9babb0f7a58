/* SPDX-License-Identifier: Apache-2.0 */
/* Needs ABI 7.0. Outcome: refused before anything of it runs, both versions named. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
SUB0_PLUGIN_CARD_OF(7, 0, "test.wrong-major", "1.0.0")
BAD_DESCRIPTOR("test.wrong-major", "1.0.0", "WRONG_MAJOR", "wrong_major", bad_prepare, run,
               bad_cancel, bad_create, bad_destroy, bad_extension)
__attribute__((constructor)) static void boom(void) { __builtin_trap(); }
