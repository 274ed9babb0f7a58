/* SPDX-License-Identifier: Apache-2.0 */
/* Has the id of good. Outcome: the first is taken, with a warning. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
BAD_PLUGIN("test.good", "SAME_ID", "same_id", run)
