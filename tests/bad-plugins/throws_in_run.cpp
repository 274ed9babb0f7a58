// SPDX-License-Identifier: Apache-2.0
// Throws in run, something that is no std::exception. Outcome: the run fails as internal.
#include "bad.h"

static void run(void*, const sub0_run*) { throw 42; }
BAD_PLUGIN("test.throws-in-run", "THROWS_IN_RUN", "throws_in_run", run)
