/* SPDX-License-Identifier: Apache-2.0 */
/* Each run fails with another error that is none. Outcome: SUB0_INVALID_ARGUMENT to the plugin,
 * internal to the client. The last one has texts that are no UTF-8: taken, and made safe. */
#include "bad.h"
#include "bad_results.h"

#include <string.h>

static bad_results table;

static int32_t fail(const sub0_run* run, uint32_t struct_size, int32_t code, const char* text) {
  sub0_error error;
  memset(&error, 0, sizeof error);
  error.struct_size = struct_size;
  error.code = code;
  error.client.data = text;
  error.client.size = 6;
  return bad_host->fail(bad_host, run->ticket, &error);
}
static void run(void* action, const sub0_run* run_) {
  const uint32_t size = sizeof(sub0_error);
  (void)action;
  switch (table.next++) {
    case 0:
      table.status = bad_host->fail(bad_host, run_->ticket, 0);
      break;
    case 1:
      table.status = fail(run_, 0, SUB0_NOT_FOUND, "client");
      break;
    case 2:
      table.status = fail(run_, size - 1, SUB0_NOT_FOUND, "client");
      break;
    case 3:
      table.status = fail(run_, size, SUB0_OK, "client");
      break;
    case 4:
      table.status = fail(run_, size, -1, "client");
      break;
    case 5:
      table.status = fail(run_, size, SUB0_TIMEOUT + 1, "client");
      break;
    case 6:
      table.status = fail(run_, size, SUB0_STALE_TICKET, "client");
      break;
    case 7:
      table.status = fail(run_, size, SUB0_NOT_FOUND, 0);
      break;
    default:
      table.next = -1;
      table.status = fail(run_, size, SUB0_NOT_FOUND, "a\n\xff\xfez\r");
  }
}
static const void* extension(void* self, const char* name) {
  (void)self;
  return strcmp(name, BAD_RESULTS_EXTENSION) == 0 ? &table : 0;
}
SUB0_PLUGIN_CARD("test.bad-errors", "1.0.0")
BAD_DESCRIPTOR("test.bad-errors", "1.0.0", "BAD_ERRORS", "bad_errors", bad_prepare, run, bad_cancel,
               bad_create, bad_destroy, extension)
