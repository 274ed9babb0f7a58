/* SPDX-License-Identifier: Apache-2.0 */
/* Ends a run twice. Outcome: the first end counts, the second is stale and counted. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
  if (bad_complete(run_, 2) != SUB0_STALE_TICKET) __builtin_trap();
}
BAD_PLUGIN("test.ends-twice", "TWICE", "twice", run)
