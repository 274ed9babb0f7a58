/* SPDX-License-Identifier: Apache-2.0 */
/* Ends whatever the test names: runs of others, of nobody, of itself that have not begun. Outcome:
 * stale and counted; the run that was meant goes on. */
#include "forges_tickets.h"
#include "bad.h"

#include <string.h>

static int32_t released;

static void release(void* owner) {
  (void)owner;
  ++released;
}
static int32_t end(uint64_t ticket) {
  sub0_run run;
  run.ticket = ticket;
  return bad_complete(&run, 666);
}
static int32_t end_with_blob(uint64_t ticket) {
  static const sub0_value value;
  const sub0_blob blob = {&value, release, 0};
  return bad_host->complete_blob(bad_host, ticket, &blob);
}
static int32_t fail(uint64_t ticket) {
  sub0_error error;
  memset(&error, 0, sizeof error);
  error.struct_size = sizeof error;
  error.code = SUB0_FORBIDDEN;
  return bad_host->fail(bad_host, ticket, &error);
}
static void run(void* action, const sub0_run* run_) {
  (void)action;
  (void)run_;
}
static const void* extension(void* self, const char* name) {
  static const forges_tickets table = {end, end_with_blob, fail, &released};
  (void)self;
  return strcmp(name, FORGES_TICKETS_EXTENSION) == 0 ? &table : 0;
}
SUB0_PLUGIN_CARD("test.forges-tickets", "1.0.0")
BAD_DESCRIPTOR("test.forges-tickets", "1.0.0", "FORGE", "forge", bad_prepare, run, bad_cancel,
               bad_create, bad_destroy, extension)
