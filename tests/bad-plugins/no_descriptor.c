/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry returns null. Outcome: refused. */
#include "bad.h"

SUB0_PLUGIN_CARD("test.no-descriptor", "1.0.0")
SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void);
SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void) {
  bad_use_all();
  return 0;
}
