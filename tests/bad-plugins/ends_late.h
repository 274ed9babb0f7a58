/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUB0_TESTS_ENDS_LATE_H
#define SUB0_TESTS_ENDS_LATE_H

#include <sub0/plugin.h>

#define ENDS_LATE_EXTENSION "test.ends-late/1"

/* Ends the last run from a thread of the plugin; returns what the host answered. */
typedef int32_t (*ends_late_trigger)(void);
typedef struct ends_late {
  ends_late_trigger end_from_thread;
} ends_late;

#endif
