/* SPDX-License-Identifier: Apache-2.0 */
/* Logs null, nothing, an unknown level, control characters, a line like the host's own. Outcome:
 * one escaped line each, with the plugin's id. */
#include "bad.h"

static void say(int32_t level, const char* data, uint64_t size) {
  const sub0_text_view view = {data, size};
  bad_host->log(bad_host, level, &view);
}
static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_host->log(bad_host, SUB0_LOG_ERROR, 0);
  say(SUB0_LOG_ERROR, 0, 12);
  say(4711, "odd level", 9);
  say(SUB0_LOG_WARNING, "one\nsub0: ready on nothing\xff\x1b[2J", 31);
  bad_complete(run_, 1);
}
BAD_PLUGIN("test.logs-badly", "LOGS", "logs", run)
