/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.pool/1: threads of the host on which a plugin may block. */
#ifndef SUB0_POOL_H
#define SUB0_POOL_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_POOL_EXTENSION "sub0.pool/1"

typedef void (*sub0_pool_callback)(void* user); /* [pool] */

typedef struct sub0_pool {
  uint32_t struct_size, reserved;
  /* [any] Runs `work` once on a pool thread; SUB0_BUSY when 1,000 pieces of work wait already. */
  int32_t (*submit)(const sub0_host* host, sub0_pool_callback work, void* user);
} sub0_pool;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_POOL_H */
