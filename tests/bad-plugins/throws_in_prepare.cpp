// SPDX-License-Identifier: Apache-2.0
// Throws in prepare. Outcome: that action has an error that names the plugin; the host goes on.
#include <stdexcept>

#include "bad.h"

static int32_t prepare(void*, sub0_preparation*, const sub0_value*, void**) {
  throw std::runtime_error("boom in prepare");
}
static void run(void*, const sub0_run* run_) { bad_complete(run_, 1); }
SUB0_PLUGIN_CARD("test.throws-in-prepare", "1.0.0")
BAD_DESCRIPTOR("test.throws-in-prepare", "1.0.0", "THROWS_IN_PREPARE", "throws_in_prepare", prepare,
               run, bad_cancel, bad_create, bad_destroy, bad_extension)
