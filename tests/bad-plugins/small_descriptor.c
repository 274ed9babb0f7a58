/* SPDX-License-Identifier: Apache-2.0 */
/* Its descriptor says that it is smaller than any there was. Outcome: refused, nothing read. */
#include "bad.h"

SUB0_PLUGIN_CARD("test.small-descriptor", "1.0.0")
SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void);
SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void) {
  static const uint32_t struct_size = 8;
  bad_use_all();
  return (const sub0_plugin*)(const void*)&struct_size;
}
