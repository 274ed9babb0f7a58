/* SPDX-License-Identifier: Apache-2.0 */
/* A card, and no entry. Outcome: refused, the entry is named. */
#include "bad.h"

SUB0_PLUGIN_CARD("test.no-entry", "1.0.0")
int32_t (*sub0_tests_keep)(void*);
static int32_t keep(void* self) {
  bad_use_all();
  return bad_start(self);
}
__attribute__((constructor)) static void set(void) { sub0_tests_keep = keep; }
