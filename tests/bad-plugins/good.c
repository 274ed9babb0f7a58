/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is wrong with it: the others differ from it in one thing. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
BAD_PLUGIN("test.good", "GOOD", "good", run)
