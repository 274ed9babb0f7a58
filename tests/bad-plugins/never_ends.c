/* SPDX-License-Identifier: Apache-2.0 */
/* Never ends a run. Outcome: given up at the deadline, counted; the run stays open. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  (void)run_;
}
BAD_PLUGIN("test.never-ends", "NEVER", "never", run)
