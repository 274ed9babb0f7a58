// SPDX-License-Identifier: Apache-2.0
// Throws in create. Outcome: start fails; the report has plugin and reason, no destroy is called.
#include <stdexcept>

#include "bad.h"

static void run(void*, const sub0_run* run_) { bad_complete(run_, 1); }
static int32_t create(const sub0_host*, const sub0_value*, void**) {
  throw std::runtime_error("boom in create");
}
SUB0_PLUGIN_CARD("test.throws-in-create", "1.0.0")
BAD_DESCRIPTOR("test.throws-in-create", "1.0.0", "THROWS_IN_CREATE", "throws_in_create",
               bad_prepare, run, bad_cancel, create, bad_destroy, bad_extension)
