/* SPDX-License-Identifier: Apache-2.0 */
/* Holds its loop until somebody writes to the FIFO that the action names. Outcome: the watchdog
 * names it; the other loops go on. */
#include "bad.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int32_t prepare(void* self, sub0_preparation* p, const sub0_value* config, void** action) {
  static char paths[8][256];
  static int count;
  (void)self;
  (void)p;
  if (config->type != SUB0_TEXT || config->count >= sizeof paths[0] || count == 8)
    return SUB0_BAD_REQUEST;
  memcpy(paths[count], config->as.text, config->count);
  *action = paths[count++];
  return SUB0_OK;
}
static void run(void* action, const sub0_run* run_) {
  char byte = 0;
  const int fifo = open((const char*)action, O_RDONLY);
  if (fifo >= 0) {
    if (read(fifo, &byte, 1) != 1) byte = 0;
    close(fifo);
  }
  bad_complete(run_, byte);
}
SUB0_PLUGIN_CARD("test.blocks-loop", "1.0.0")
BAD_DESCRIPTOR("test.blocks-loop", "1.0.0", "BLOCK", "block", prepare, run, bad_cancel, bad_create,
               bad_destroy, bad_extension)
