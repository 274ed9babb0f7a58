/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.broadcast/1: messages to the open WebSocket connections, on all loops. */
#ifndef SUB0_BROADCAST_H
#define SUB0_BROADCAST_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_BROADCAST_EXTENSION "sub0.broadcast/1"

#define SUB0_TO_ALL 1u    /* every connection */
#define SUB0_TO_SINGLE 2u /* every connection of one uid */
#define SUB0_TO_BULK 3u   /* every connection of several uids, each connection once */

#define SUB0_EXCLUDE_SENDER 1u /* not to the connection that the call came from */

typedef struct sub0_broadcast_message {
  uint32_t struct_size;
  uint32_t type;  /* SUB0_TO_ALL, SUB0_TO_SINGLE, SUB0_TO_BULK */
  uint32_t flags; /* SUB0_EXCLUDE_SENDER */
  uint32_t reserved;
  sub0_text_view action; /* the event's name */
  const sub0_value*
      to; /* SINGLE: text or number, null: the caller's uid, else its claim `id`; BULK: array */
  const sub0_value* data; /* any value; RAW is allowed */
} sub0_broadcast_message;

typedef struct sub0_broadcast {
  uint32_t struct_size, reserved;
  /* [loop] Sends on behalf of the run `ticket`, before that run ends; everything is copied. From a
   * mode it is held until the call has ended, behind the reply on the sender's own connection; from
   * an effect it goes out at once. *recipients: the connections that match now.
   * SUB0_LIMIT_EXCEEDED: too many uids. */
  int32_t (*send)(const sub0_host* host, sub0_ticket ticket, const sub0_broadcast_message* message,
                  uint64_t* recipients);
} sub0_broadcast;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_BROADCAST_H */
