/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.health/1: offered by a plugin that can be away for a while although it runs: a database that
 * does not answer. The host asks before it says that it is ready (/readyz). */
#ifndef SUB0_HEALTH_H
#define SUB0_HEALTH_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_HEALTH_EXTENSION "sub0.health/1"

typedef struct sub0_health {
  uint32_t struct_size, reserved;
  /* [any] 1: runs can do their work now; 0: what they need is away. Never blocks. */
  int32_t (*ready)(void* self);
} sub0_health;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_HEALTH_H */
