/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a symbol that nobody has. Outcome: refused at load (RTLD_NOW), the symbol named. */
#include "bad.h"

extern int64_t sub0_tests_no_such_symbol(void);
static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, sub0_tests_no_such_symbol());
}
BAD_PLUGIN("test.undefined-symbol", "UNDEFINED", "undefined", run)
