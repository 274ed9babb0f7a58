/* SPDX-License-Identifier: Apache-2.0 */
/* Each run ends with another value that is none. Outcome: SUB0_INVALID_ARGUMENT to the plugin (a
 * result too large is told so), internal to the client, counted; what was handed over is released
 * once. */
#include "bad_results.h"
#include "bad.h"

#include <math.h>
#include <string.h>

#define LEVELS 40

static bad_results table;

static void release(void* owner) {
  (void)owner;
  ++table.released;
}
/* A tree of two branches a level, both the same: 2^40 leaves in 40 values. */
static const sub0_value* shared_branches(void) {
  static sub0_value levels[LEVELS][2];
  int i;
  for (i = 0; i + 1 < LEVELS; ++i) {
    levels[i][0].type = levels[i][1].type = SUB0_ARRAY;
    levels[i][0].count = levels[i][1].count = 2;
    levels[i][0].as.items = levels[i][1].as.items = levels[i + 1];
  }
  return &levels[0][0];
}
static const sub0_value* cycle(void) {
  static sub0_value self;
  self.type = SUB0_ARRAY;
  self.count = 1;
  self.as.items = &self;
  return &self;
}
static int32_t end_with_blob(const sub0_run* run, const sub0_value* value, int has_release) {
  sub0_blob blob;
  blob.value = value;
  blob.release = has_release ? release : 0;
  blob.owner = 0;
  return bad_host->complete_blob(bad_host, run->ticket, &blob);
}
static int32_t end_with_text(const sub0_run* run, uint32_t type, const char* text, uint32_t size) {
  sub0_value value;
  value.type = type;
  value.count = size;
  value.as.text = text;
  return bad_host->complete(bad_host, run->ticket, &value);
}
static int32_t end_with_number(const sub0_run* run, uint32_t type, int64_t i, double d) {
  sub0_value value;
  memset(&value, 0, sizeof value);
  value.type = type;
  value.as.i = i;
  if (type == SUB0_DOUBLE) value.as.d = d;
  return bad_host->complete(bad_host, run->ticket, &value);
}
static int32_t end_with_key(const sub0_run* run, const char* key, uint64_t size) {
  sub0_member member;
  sub0_value value;
  memset(&member, 0, sizeof member);
  member.key.data = key;
  member.key.size = size;
  value.type = SUB0_OBJECT;
  value.count = 1;
  value.as.members = &member;
  return bad_host->complete(bad_host, run->ticket, &value);
}
static void run(void* action, const sub0_run* run_) {
  static const sub0_value fine;
  (void)action;
  switch (table.next++) {
    case 0:
      table.status = bad_host->complete(bad_host, run_->ticket, 0);
      break;
    case 1:
      table.status = end_with_text(run_, SUB0_TEXT, "\xff\xfe", 2);
      break;
    case 2:
      table.status = end_with_text(run_, SUB0_TEXT, 0, 5);
      break;
    case 3:
      table.status = end_with_text(run_, SUB0_NUMBER, "1e", 2);
      break;
    case 4:
      table.status = end_with_text(run_, SUB0_RAW, "{\"a\":", 5);
      break;
    case 5:
      table.status = end_with_text(run_, 4711, "", 0);
      break;
    case 6:
      table.status = end_with_text(run_, SUB0_ARRAY, 0, 3);
      break;
    case 7:
      table.status = end_with_text(run_, SUB0_OBJECT, 0, 3);
      break;
    case 8:
      table.status = end_with_number(run_, SUB0_BOOL, 2, 0);
      break;
    case 9:
      table.status = end_with_number(run_, SUB0_DOUBLE, 0, NAN);
      break;
    case 10:
      table.status = end_with_number(run_, SUB0_DOUBLE, 0, INFINITY);
      break;
    case 11:
      table.status = end_with_key(run_, 0, 3);
      break;
    case 12:
      table.status = end_with_key(run_, "\xc0\xaf", 2);
      break;
    case 13:
      table.status = bad_host->complete(bad_host, run_->ticket, cycle());
      break;
    case 14:
      table.status = bad_host->complete(bad_host, run_->ticket, shared_branches());
      break;
    case 15:
      table.status = bad_host->complete_blob(bad_host, run_->ticket, 0);
      break;
    case 16:
      table.status = end_with_blob(run_, &fine, 0);
      break;
    case 17:
      table.status = end_with_blob(run_, 0, 1);
      break;
    case 18:
      table.status = end_with_blob(run_, cycle(), 1);
      break;
    default:
      table.next = -1;
      bad_complete(run_, 1);
  }
}
static const void* extension(void* self, const char* name) {
  (void)self;
  return strcmp(name, BAD_RESULTS_EXTENSION) == 0 ? &table : 0;
}
SUB0_PLUGIN_CARD("test.bad-results", "1.0.0")
BAD_DESCRIPTOR("test.bad-results", "1.0.0", "BAD_RESULTS", "bad_results", bad_prepare, run,
               bad_cancel, bad_create, bad_destroy, extension)
