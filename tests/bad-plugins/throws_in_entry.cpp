// SPDX-License-Identifier: Apache-2.0
// Its entry throws. Outcome: refused.
#include <stdexcept>

#include "bad.h"

SUB0_PLUGIN_CARD("test.throws-in-entry", "1.0.0")
SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void) {
  bad_use_all();
  throw std::runtime_error("boom in the entry");
}
