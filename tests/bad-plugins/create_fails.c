/* SPDX-License-Identifier: Apache-2.0 */
/* Stores a self, then fails to create. Outcome: start fails; destroy is called. */
#include "bad.h"

static void run(void* action, const sub0_run* run_) {
  (void)action;
  bad_complete(run_, 1);
}
static void say(const char* text, uint64_t size) {
  const sub0_text_view view = {text, size};
  bad_host->log(bad_host, SUB0_LOG_ERROR, &view);
}
static int32_t create(const sub0_host* host, const sub0_value* settings, void** self) {
  bad_create(host, settings, self);
  say("no disk", 7);
  return SUB0_UNAVAILABLE;
}
static void destroy(void* self) {
  (void)self;
  say("destroyed", 9);
}
SUB0_PLUGIN_CARD("test.create-fails", "1.0.0")
BAD_DESCRIPTOR("test.create-fails", "1.0.0", "CREATE_FAILS", "create_fails", bad_prepare, run,
               bad_cancel, create, destroy, bad_extension)
