/* SPDX-License-Identifier: Apache-2.0 */
/* The contract between the sub0 host and a plugin: ABI 0.9 (major 0: no promise of stability yet).
 *
 * A plugin is one shared object that exports `sub0_plugin_v0`, a pure function that returns a
 * static descriptor. It links nothing of the host: the host hands over a table of functions
 * (sub0_host).
 *
 * Rules that hold everywhere
 *   - Text is UTF-8, pointer and length (at most 2^31-1 bytes), not zero-terminated.
 *   - `_view` is borrowed, `_blob` is owned and has a release function, `_handle` is opaque and the
 * host's.
 *   - A struct that may grow begins with `struct_size`: read no member beyond it. New members go to
 * the end. text_view, value, member and blob are frozen for the major and have no size.
 *   - No slot of a table is ever null. Nothing unwinds or frees across the wall.
 *   - Thread words: [control] one at a time, may block a little; [loop] must not block (budget 1
 * ms); [pool] may block; [any] any thread. Functions of the host are [any], never call a plugin
 * inline, and are never called with a lock of the host held.
 *   - Life: create -> prepare* -> start -> (prepare | run)* -> stop -> release* -> destroy.
 *     A create that fails is followed by destroy if it stored a self. `sub0-host check` never calls
 * start.
 */
#ifndef SUB0_PLUGIN_H
#define SUB0_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX != UINT64_MAX
#error "sub0 plugins are 64-bit only"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_ABI_MAJOR 0
#define SUB0_ABI_MINOR 9

/* ---- values ------------------------------------------------------------------------------------
 */

typedef struct sub0_text_view {
  const char* data; /* may be null if size is 0 */
  uint64_t size;    /* bytes */
} sub0_text_view;

/* Types of a value; `count` and the member of `as` that is valid. */
#define SUB0_NULL 0u   /* count 0 */
#define SUB0_BOOL 1u   /* as.i: 0 or 1 */
#define SUB0_INT 2u    /* as.i */
#define SUB0_DOUBLE 3u /* as.d: finite */
#define SUB0_NUMBER \
  4u /* as.text, count bytes: a JSON number that keeps all its digits (numeric, uint64) */
#define SUB0_TEXT 5u   /* as.text, count bytes of UTF-8 */
#define SUB0_RAW 6u    /* as.text, count bytes of valid JSON; comes in only with SUB0_ACCEPTS_RAW */
#define SUB0_ARRAY 7u  /* as.items, count items */
#define SUB0_OBJECT 8u /* as.members, count members, in order; keys are unique */

typedef struct sub0_value {
  uint32_t type;  /* SUB0_NULL ... SUB0_OBJECT */
  uint32_t count; /* bytes, items or members */
  union {
    int64_t i;
    double d;
    const char* text;
    const struct sub0_value* items;
    const struct sub0_member* members;
  } as;
} sub0_value;

typedef struct sub0_member {
  sub0_text_view key;
  sub0_value value;
} sub0_member;

/* A result handed over without a copy: the host calls release(owner) exactly once, also when it
 * refuses it. */
typedef struct sub0_blob {
  const sub0_value* value;
  void (*release)(void* owner); /* [any] */
  void* owner;
} sub0_blob;

/* ---- status and errors -------------------------------------------------------------------------
 */

/* What functions return: 0, or one of the codes; those from 1 to 99 are also what a run fails with,
 * and stand in replies as `error.code`. */
#define SUB0_OK 0
#define SUB0_BAD_REQUEST 1
#define SUB0_VALIDATION_FAILED 2
#define SUB0_UNAUTHORIZED 3
#define SUB0_TOKEN_INVALID 4
#define SUB0_TOKEN_EXPIRED 5
#define SUB0_TOKEN_REVOKED 6
#define SUB0_WEBHOOK_REJECTED 7
#define SUB0_HASH_MISMATCH 8
#define SUB0_NOT_FOUND 9
#define SUB0_METHOD_NOT_ALLOWED 10
#define SUB0_UNSUPPORTED_MEDIA_TYPE 11
#define SUB0_PAYLOAD_TOO_LARGE 12
#define SUB0_FORBIDDEN 13
#define SUB0_LIMIT_EXCEEDED 14
#define SUB0_RESULT_TOO_LARGE 15
#define SUB0_INTERNAL 16
#define SUB0_RATE_LIMITED 17
#define SUB0_NO_VALUE 18
#define SUB0_CONSTRAINT 19
#define SUB0_ACTION_FAILED 20
#define SUB0_BUSY 21
#define SUB0_UNAVAILABLE 22
#define SUB0_MAINTENANCE 23
#define SUB0_TIMEOUT 24
#define SUB0_STALE_TICKET 100     /* the run has ended, or never was */
#define SUB0_INVALID_ARGUMENT 101 /* bad pointer, type, size or UTF-8 */
#define SUB0_WRONG_STATE 102      /* not allowed in this state of life or on this thread */

typedef struct sub0_error {
  uint32_t struct_size;
  int32_t code;       /* SUB0_BAD_REQUEST ... SUB0_TIMEOUT */
  sub0_text_view log; /* for the operator; may name SQL, hosts, paths */
  sub0_text_view
      client; /* for the caller: never SQL, paths or secrets; empty: the code's own wording */
} sub0_error;

/* ---- the host's functions ----------------------------------------------------------------------
 */

/* One run: slot and generation. Safe for ever: a late or second use returns SUB0_STALE_TICKET. */
typedef uint64_t sub0_ticket;

#define SUB0_LOG_ERROR 1
#define SUB0_LOG_WARNING 2
#define SUB0_LOG_INFO 3
#define SUB0_LOG_DEBUG 4

typedef struct sub0_host {
  uint32_t struct_size, abi_minor;
  /* [any] Ends a run with a value, which is copied before this returns. */
  int32_t (*complete)(const struct sub0_host* host, sub0_ticket ticket, const sub0_value* copied);
  /* [any] Ends a run with a value that the host takes over. */
  int32_t (*complete_blob)(const struct sub0_host* host, sub0_ticket ticket,
                           const sub0_blob* taken);
  /* [any] Ends a run with an error, which is copied. */
  int32_t (*fail)(const struct sub0_host* host, sub0_ticket ticket, const sub0_error* copied);
  /* [any] Writes a line; the host adds the plugin's id. */
  void (*log)(const struct sub0_host* host, int32_t level, const sub0_text_view* text);
  /* [any] A table of an extension, such as "sub0.loop/1", or null if the host has none of that
   * name. */
  const void* (*extension)(const struct sub0_host* host, const char* name);
} sub0_host;

/* ---- preparation: once for each action, at load ------------------------------------------------
 */

#define SUB0_RULE_TEMPLATE 1u  /* accessors inside strings are replaced */
#define SUB0_RULE_PARAMETER 2u /* as in sql_query.parameters: bare words are looked up */

#define SUB0_PLACE_LOOP 1u
#define SUB0_PLACE_POOL 2u

/* Valid until prepare returns. Pointers count from the config value. Facts: "reads_only" (bool),
 * "tables" (texts), "waits" (bool: for the outside), "statement" (text for a trace, no values),
 * "unique" (texts: a table, unique columns), "unique_unwatched" (text: told if no model has it),
 * "no_row" (text: no run ever has a row, and what to do; told where one is needed), "folded"
 * (texts: names of columns as written, which the database reads in lower case). */
typedef struct sub0_preparation {
  uint32_t struct_size, reserved;
  const sub0_value* action;   /* the whole action object */
  const sub0_value* resource; /* the whole resource object */
  /* [control] Declares an input; returns its index in sub0_run.inputs, or -1 (the host reports
   * why). */
  int32_t (*input)(struct sub0_preparation* p, const sub0_text_view* json_pointer, uint32_t rule);
  /* [control] The same for a template that stands in no file, such as "$PAYLOAD". */
  int32_t (*input_of)(struct sub0_preparation* p, const sub0_text_view* template_text);
  /* [control] Chooses where runs of this action execute; default: the handler's placement. */
  void (*place)(struct sub0_preparation* p, uint32_t placement);
  /* [control] Declares a fact about this action. */
  void (*fact)(struct sub0_preparation* p, const sub0_text_view* name, const sub0_value* value);
  /* [control] Reports an error at a place; as many as there are. */
  void (*error)(struct sub0_preparation* p, const sub0_text_view* json_pointer,
                const sub0_text_view* text);
  /* [control] Reports a warning at a place. */
  void (*warning)(struct sub0_preparation* p, const sub0_text_view* json_pointer,
                  const sub0_text_view* text);
} sub0_preparation;

/* ---- runs --------------------------------------------------------------------------------------
 */

#define SUB0_RUN_READ_ONLY \
  1u /* the call must not write (HTTP GET): a write fails with METHOD_NOT_ALLOWED */
#define SUB0_RUN_IN_TRANSACTION \
  2u /* what it does lasts or not with the others of its call_id: sub0.call/1 */

/* One execution of one action. Borrowed: lives until the run has ended and `run` has returned. */
typedef struct sub0_run {
  uint32_t struct_size, input_count;
  sub0_ticket ticket;
  const sub0_value*
      inputs; /* in the order of declaration; of an effect, input 0 is the action's result */
  uint64_t deadline_ns;     /* monotonic clock (sub0.loop/1 now_ns) */
  uint64_t call_id;         /* shared by all actions of one call */
  sub0_text_view uid;       /* data is null: the caller has none */
  sub0_text_view resource;  /* its id */
  sub0_text_view action;    /* the caller's label on a socket; empty over HTTP */
  uint32_t flags, reserved; /* SUB0_RUN_READ_ONLY, SUB0_RUN_IN_TRANSACTION */
} sub0_run;

#define SUB0_MODE 1u   /* `name` is a mode: QUERY */
#define SUB0_EFFECT 2u /* `config_key` on an action of any mode: acts after the call has ended */

#define SUB0_COMPLETES_IN_RUN \
  1u                        /* always ends its run before `run` returns; breaking it is a fault */
#define SUB0_ACCEPTS_RAW 2u /* inputs and parts of inputs may be SUB0_RAW */

typedef struct sub0_handler {
  uint32_t struct_size;
  uint16_t kind, placement;   /* SUB0_MODE or SUB0_EFFECT; SUB0_PLACE_LOOP or SUB0_PLACE_POOL */
  uint32_t max_running;       /* further runs wait, then fail as busy; 0: no bound */
  uint32_t flags;             /* SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW */
  sub0_text_view name;        /* "QUERY"; of an effect the same as config_key */
  sub0_text_view config_key;  /* "sql_query" */
  sub0_text_view schema;      /* JSON Schema of the value of config_key; empty: none */
  sub0_text_view description; /* one line for `plugin list` and the reference */
  /* [control] Compiles one action. SUB0_OK and *action, or a code after at least one p->error. */
  int32_t (*prepare)(void* self, sub0_preparation* p, const sub0_value* config, void** action);
  /* [loop] or [pool], as placed. Ends run->ticket exactly once, now or later, from any thread. */
  void (*run)(void* action, const sub0_run* run);
  /* [any] Nobody waits any more. May come before `run` has returned and after the end. */
  void (*cancel)(void* action, sub0_ticket ticket);
  /* [control] Frees the action; no run of it is under way. */
  void (*release)(void* action);
} sub0_handler;

/* ---- the descriptor ----------------------------------------------------------------------------
 */

#define SUB0_SETTING_SECRET 1u /* masked by `sub0-host config` */

typedef struct sub0_setting {
  uint32_t struct_size;
  uint32_t type; /* SUB0_TEXT, SUB0_INT or SUB0_BOOL */
  uint32_t flags, reserved;
  sub0_text_view name;          /* "DATABASE_URL" or "SUB0_..." */
  sub0_text_view default_value; /* as text */
  sub0_text_view description;   /* one line, with the unit */
} sub0_setting;

typedef struct sub0_plugin {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor; /* abi_minor: the lowest that this plugin needs */
  sub0_text_view id;             /* reverse-DNS: "org.example.greeting" */
  sub0_text_view version;
  uint32_t setting_count, handler_count;
  const sub0_setting* const* settings;
  const sub0_handler* const* handlers;
  /* [control] `settings`: an object of all declared settings, resolved. Stores *self. */
  int32_t (*create)(const sub0_host* host, const sub0_value* settings, void** self);
  /* [control] Runs may come from now on. */
  int32_t (*start)(void* self);
  /* [control] End what is under way before deadline_ns; no run comes any more. */
  void (*stop)(void* self, uint64_t deadline_ns);
  /* [control] Not called at a normal exit of the host: the process ends with the plugin in place.
   */
  void (*destroy)(void* self);
  /* [any] A table that the plugin offers, such as "sub0.sql/1", or null. */
  const void* (*extension)(void* self, const char* name);
} sub0_plugin;

typedef const sub0_plugin* (*sub0_plugin_entry)(void);

#ifdef __cplusplus
}
#endif

#endif /* SUB0_PLUGIN_H */
