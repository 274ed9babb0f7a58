/* SPDX-License-Identifier: Apache-2.0 */
/* What every bad plugin has in common: a plugin of one mode that does nothing wrong by itself. */
#ifndef SUB0_TESTS_BAD_H
#define SUB0_TESTS_BAD_H

#include <sub0/card.h>

#ifndef BAD_FLAGS
#define BAD_FLAGS 0
#endif

#define BAD_TEXT(text) \
  { text, sizeof(text) - 1 }

/* What a plugin replaces of the rest: #define BAD_START start, and the like, before this file. */
#ifndef BAD_START
#define BAD_START bad_start
#else
static int32_t BAD_START(void* self);
#endif

static const sub0_host* bad_host;

static int32_t bad_prepare(void* self, sub0_preparation* p, const sub0_value* config,
                           void** action) {
  (void)p;
  (void)config;
  *action = self;
  return SUB0_OK;
}
static void bad_cancel(void* action, sub0_ticket ticket) {
  (void)action;
  (void)ticket;
}
static void bad_release(void* action) { (void)action; }
static int32_t bad_create(const sub0_host* host, const sub0_value* settings, void** self) {
  static int32_t anything;
  (void)settings;
  bad_host = host;
  *self = &anything;
  return SUB0_OK;
}
static int32_t bad_start(void* self) {
  (void)self;
  return SUB0_OK;
}
static void bad_stop(void* self, uint64_t deadline_ns) {
  (void)self;
  (void)deadline_ns;
}
static void bad_destroy(void* self) { (void)self; }
static const void* bad_extension(void* self, const char* name) {
  (void)self;
  (void)name;
  return 0;
}
static int32_t bad_complete(const sub0_run* run, int64_t number) {
  sub0_value value;
  value.type = SUB0_INT;
  value.count = 0;
  value.as.i = number;
  return bad_host->complete(bad_host, run->ticket, &value);
}
/* Not every one uses all of them. */
static inline void bad_use_all(void) {
  (void)bad_prepare, (void)bad_cancel, (void)bad_release, (void)bad_create, (void)bad_start;
  (void)bad_stop, (void)bad_destroy, (void)bad_extension, (void)bad_complete;
}

#define BAD_DESCRIPTOR(id, version, mode, key, prepare, run, cancel, create, destroy, extension) \
  static const sub0_handler bad_handler = {sizeof(sub0_handler),                                 \
                                           SUB0_MODE,                                            \
                                           SUB0_PLACE_LOOP,                                      \
                                           0,                                                    \
                                           BAD_FLAGS,                                            \
                                           BAD_TEXT(mode),                                       \
                                           BAD_TEXT(key),                                        \
                                           BAD_TEXT(""),                                         \
                                           BAD_TEXT("a mode that is bad on purpose"),            \
                                           prepare,                                              \
                                           run,                                                  \
                                           cancel,                                               \
                                           bad_release};                                         \
  static const sub0_handler* const bad_handlers[] = {&bad_handler};                              \
  static const sub0_plugin bad_plugin = {sizeof(sub0_plugin),                                    \
                                         SUB0_ABI_MAJOR,                                         \
                                         SUB0_ABI_MINOR,                                         \
                                         BAD_TEXT(id),                                           \
                                         BAD_TEXT(version),                                      \
                                         0,                                                      \
                                         1,                                                      \
                                         0,                                                      \
                                         bad_handlers,                                           \
                                         create,                                                 \
                                         BAD_START,                                              \
                                         bad_stop,                                               \
                                         destroy,                                                \
                                         extension};                                             \
  SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void);                                           \
  SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void) {                                          \
    bad_use_all();                                                                               \
    return &bad_plugin;                                                                          \
  }

/* One mode with that run function, nothing else of note. */
#define BAD_PLUGIN(id, mode, key, run)                                                          \
  SUB0_PLUGIN_CARD(id, "1.0.0")                                                                 \
  BAD_DESCRIPTOR(id, "1.0.0", mode, key, bad_prepare, run, bad_cancel, bad_create, bad_destroy, \
                 bad_extension)

#endif
