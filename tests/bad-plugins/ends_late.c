/* SPDX-License-Identifier: Apache-2.0 */
/* Ends its runs from a thread of its own when the test says so, even when it is too late. */
#include "ends_late.h"
#include "bad.h"

#include <pthread.h>
#include <string.h>

static sub0_run last;
static int32_t answer;

static void* end(void* nothing) {
  answer = bad_complete(&last, 7);
  return nothing;
}
static int32_t end_from_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, 0, end, 0) != 0) return -1;
  pthread_join(thread, 0);
  return answer;
}
static void run(void* action, const sub0_run* run_) {
  (void)action;
  last = *run_;
}
static const void* extension(void* self, const char* name) {
  static const ends_late table = {end_from_thread};
  (void)self;
  return strcmp(name, ENDS_LATE_EXTENSION) == 0 ? &table : 0;
}
SUB0_PLUGIN_CARD("test.ends-late", "1.0.0")
BAD_DESCRIPTOR("test.ends-late", "1.0.0", "LATE", "late", bad_prepare, run, bad_cancel, bad_create,
               bad_destroy, extension)
