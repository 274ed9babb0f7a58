/* SPDX-License-Identifier: Apache-2.0 */
/* Offers mode GOOD as well. Outcome: the second of the two is refused, both named. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
BAD_PLUGIN("test.duplicate-mode", "GOOD", "other_good", run)
