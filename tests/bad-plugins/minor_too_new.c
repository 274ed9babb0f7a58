/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a minor that this host has not. Outcome: as wrong_major. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
SUB0_PLUGIN_CARD_OF(SUB0_ABI_MAJOR, 999, "test.minor-too-new", "1.0.0")
BAD_DESCRIPTOR("test.minor-too-new", "1.0.0", "TOO_NEW", "too_new", bad_prepare, run, bad_cancel,
               bad_create, bad_destroy, bad_extension)
__attribute__((constructor)) static void boom(void) { __builtin_trap(); }
