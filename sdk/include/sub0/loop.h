/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.loop/1: what an asynchronous, batching driver needs of the host's event loops.
 *
 * The host has count() loops, numbered from 0, each a thread with its own epoll set. A run placed
 * on the loop is called on the loop of its call: current() tells which. Callbacks of a watch, timer
 * or post come on the loop that it was made on (or, for a post, was named), never inside another
 * call of this plugin. On the [control] thread before start and after stop, current() is -1.
 */
#ifndef SUB0_LOOP_H
#define SUB0_LOOP_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_LOOP_EXTENSION "sub0.loop/1"

#define SUB0_READABLE 1u
#define SUB0_WRITABLE 2u
#define SUB0_HANGUP 4u /* reported only: peer closed, or an error on the descriptor */

typedef struct sub0_loop_hooks {
  uint32_t struct_size, reserved;
  void (*loop_start)(void* user, uint32_t loop); /* [loop] once on each loop, after start() */
  void (*loop_stop)(void* user, uint32_t loop);  /* [loop] once on each loop, after stop() */
  void (*end_of_turn)(void* user,
                      uint32_t loop); /* [loop] in each turn in which it was asked for */
} sub0_loop_hooks;

typedef void (*sub0_ready_callback)(void* user, uint32_t events); /* [loop] */
typedef void (*sub0_loop_callback)(void* user);                   /* [loop] */

typedef struct sub0_loop {
  uint32_t struct_size, reserved;
  /* [any] How many loops there are; fixed from create on. */
  uint32_t (*count)(const sub0_host* host);
  /* [any] The loop whose thread this is, or -1. */
  int32_t (*current)(const sub0_host* host);
  /* [any] The loop's clock, monotonic, in nanoseconds: of the turn on a loop's thread. */
  uint64_t (*now_ns)(const sub0_host* host);
  /* [control] In create, at most once: the hooks of this plugin; `hooks` must stay valid. */
  int32_t (*set_hooks)(const sub0_host* host, const sub0_loop_hooks* hooks, void* user);
  /* [loop] Watches a descriptor, level-triggered; *watch_handle is for the next two. */
  int32_t (*watch)(const sub0_host* host, int32_t descriptor, uint32_t events,
                   sub0_ready_callback callback, void* user, uint64_t* watch_handle);
  /* [loop] Changes what is watched for. */
  int32_t (*rewatch)(const sub0_host* host, uint64_t watch_handle, uint32_t events);
  /* [loop] Ends a watch, before the descriptor is closed; no callback comes any more. */
  int32_t (*unwatch)(const sub0_host* host, uint64_t watch_handle);
  /* [loop] Calls back once, after delay_ms. */
  int32_t (*start_timer)(const sub0_host* host, uint64_t delay_ms, sub0_loop_callback callback,
                         void* user, uint64_t* timer_handle);
  /* [loop] Ends a timer that has not called back; SUB0_STALE_TICKET if it has. */
  int32_t (*stop_timer)(const sub0_host* host, uint64_t timer_handle);
  /* [any] Calls back on that loop, in order of the posts of one thread. */
  int32_t (*post)(const sub0_host* host, uint32_t loop, sub0_loop_callback callback, void* user);
  /* [loop] Asks for end_of_turn in this turn; asking again changes nothing. */
  int32_t (*request_end_of_turn)(const sub0_host* host);
} sub0_loop;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_LOOP_H */
