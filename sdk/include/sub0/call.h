/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.call/1: the end of the call around a run, for plugins whose runs can be undone.
 *
 * A resource with `transaction` runs its actions as one unit. Runs of a plugin that has set its
 * hooks then carry SUB0_RUN_IN_TRANSACTION, and share a call_id: they belong to one transaction,
 * which the plugin begins with the first of them. Once all actions of the call have succeeded the
 * host has it committed, and only then answers and sends broadcasts; else it is rolled back. Of one
 * call at most one plugin takes part.
 */
#ifndef SUB0_CALL_H
#define SUB0_CALL_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_CALL_EXTENSION "sub0.call/1"

typedef struct sub0_call_hooks {
  uint32_t struct_size, reserved;
  /* [loop] Makes what the runs of run->call_id did lasting, then ends run->ticket, now or later:
   * complete (the value is not looked at), or fail where it is not lasting or nobody knows. The
   * ticket obeys all rules of a run's. No further run of this call comes. */
  void (*commit)(void* user, const sub0_run* run);
  /* [loop] Undoes what the runs of call_id did; nothing is answered. Comes instead of a commit,
   * also while a run of the call has not ended (the host has given it up at its deadline), and
   * behind a commit that failed or was given up, whose outcome then is what it is. */
  void (*rollback)(void* user, uint64_t call_id);
} sub0_call_hooks;

typedef struct sub0_call {
  uint32_t struct_size, reserved;
  /* [control] In create, at most once: the hooks of this plugin; `hooks` must stay valid. */
  int32_t (*set_hooks)(const sub0_host* host, const sub0_call_hooks* hooks, void* user);
} sub0_call;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_CALL_H */
