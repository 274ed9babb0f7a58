/* SPDX-License-Identifier: Apache-2.0 */
/* Promises to end in run, and does not. Outcome: the run fails as internal, counted. */
#define BAD_FLAGS SUB0_COMPLETES_IN_RUN
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  (void)run_;
}
BAD_PLUGIN("test.breaks-promise", "PROMISE", "promise", run)
