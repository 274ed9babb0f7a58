// SPDX-License-Identifier: Apache-2.0
// Throws in start. Outcome: start fails; the report has plugin and reason, stop is not called.
#include <stdexcept>

#define BAD_START start
#include "bad.h"

static int32_t start(void*) { throw std::runtime_error("boom in start"); }
static void run(void*, const sub0_run* run_) { bad_complete(run_, 1); }
BAD_PLUGIN("test.throws-in-start", "THROWS_IN_START", "throws_in_start", run)
