/* SPDX-License-Identifier: Apache-2.0 */
/* How a test reads what bad_results and bad_errors were told. */
#ifndef SUB0_TESTS_BAD_RESULTS_H
#define SUB0_TESTS_BAD_RESULTS_H

#include <stdint.h>

#define BAD_RESULTS_EXTENSION "test.bad-results/1"

typedef struct bad_results {
  int32_t next;     /* the fault of the next run; -1: there are no more */
  int32_t status;   /* what the host answered to the last end */
  int32_t released; /* how often a result was given back */
} bad_results;

#endif
